"""Extensions of files that are not pictures, so that they need not be opened.

Opening a file costs a read, in a store a request. Files with any other extension that is not a
picture's are opened: `IMG.jpg?w=2`, `x.pjpeg`, `photo.jpg.1`, `x.bak`.
"""

from __future__ import annotations

from typing import Final

_TEXTS: Final = """
    txt text md markdown rst tex bib log csv tsv json jsonl ndjson xml xsd xsl xslt yaml yml toml
    ini cfg conf config properties env po pot srt sub vtt ass nfo rtf html htm xhtml mhtml css scss
    sass less eml msg ics vcf url webloc lnk desktop diff patch lock sum map template tmpl j2 tpl
    xmp aae thm pp3 dop cos on1 nksc lrtemplate icc icm cube
"""
_SOURCES: Final = """
    py pyi pyx pxd ipynb js mjs cjs jsx ts tsx vue svelte c h cc cpp cxx hh hpp hxx inl m mm swift
    java kt kts scala groovy gradle go rs rb php phtml pl pm t lua r jl hs lhs ml mli fs fsx cs vb
    d dart ex exs erl hrl clj cljs el lisp scm sh bash zsh fish ps1 psm1 bat cmd awk sed sql graphql
    proto thrift asm s f f90 for pas ada v sv vhd vhdl cu cl glsl hlsl metal wgsl cmake mk mak am in
    ac m4 nix tf hcl bzl bazel sln csproj vcxproj props targets resx xib storyboard plist strings
    snap golden gitignore gitattributes editorconfig
"""
_BINARIES: Final = """
    pyc pyo pyd o obj a lib so dylib dll exe com sys msi class jar war ear wasm node elc beam rlib
    rmeta pdb dmp core bin img iso dmg vhd vhdx vmdk qcow2 vdi ova rom hex elf ko apk aab ipa
    deb rpm pkg appimage whl egg gem nupkg crx xpi
"""
_ARCHIVES: Final = """
    zip gz tgz bz2 tbz xz txz zst lz4 lzma 7z rar tar cab cpio ar lrzip z jar sit sitx ace arj lzh
"""
_MEDIA: Final = """
    mp4 m4v mov avi mkv webm wmv flv f4v mpg mpeg mpe m2v m2ts mts vob ogv 3gp 3g2 asf rm rmvb mxf
    insv lrv mp3 m4a m4b aac flac wav wave ogg oga opus wma aif aiff aifc mid midi amr ape mka m3u
    m3u8 pls cue aup sf2
"""
_DOCUMENTS: Final = """
    doc docx docm dot dotx xls xlsx xlsm xlsb ppt pptx pptm pps ppsx odt ods odp odg odf pages
    numbers key epub mobi azw azw3 fb2 chm one pub vsd vsdx mdb accdb xps indd idml ai cdr dwg dxf
    skp blend max fbx stl ply gltf glb 3ds step stp iges igs kml kmz gpx shp dbf shx prj geojson
"""
_DATA: Final = """
    db sqlite sqlite3 db3 wal shm mdf ldf ibd frm myd myi rdb parquet avro orc feather arrow h5 hdf5
    nc npy npz pkl pickle pt pth onnx safetensors tflite pb ckpt mat rds rdata sav dta lrcat
    lrcat-data lrdata cocatalog cosessiondb ttf otf woff woff2 eot fon ttc pem crt cer der p12 pfx
    gpg asc sig key pgp kdbx torrent pid swp swo idx pack rev
"""

OTHER_EXTENSIONS: Final = frozenset(
    " ".join((_TEXTS, _SOURCES, _BINARIES, _ARCHIVES, _MEDIA, _DOCUMENTS, _DATA)).split()
)
"""Extensions that are known and no picture's: lower-case, without the dot."""
