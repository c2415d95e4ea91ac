"""The known image formats, their names, and whether the service takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """A file format, recognized by content."""

    name: str
    label: str  # what people call it
    group: Literal["raster", "raw", "picture", "document"]  # the service takes the first two
    extensions: tuple[str, ...] = ()  # that fit the content, lower-case with dot, the usual first
    content_type: str = "application/octet-stream"

    @property
    def format(self) -> str:
        """The name in results and ledger, where any camera RAW is `raw`."""
        return "raw" if self.group == "raw" else self.name


JPEG: Final = ImageFormat("jpeg", "JPEG", "raster", (".jpg", ".jpeg"), "image/jpeg")
PNG: Final = ImageFormat("png", "PNG", "raster", (".png",), "image/png")
GIF: Final = ImageFormat("gif", "GIF", "raster", (".gif",), "image/gif")
BMP: Final = ImageFormat("bmp", "BMP", "raster", (".bmp",), "image/bmp")
WEBP: Final = ImageFormat("webp", "WebP", "raster", (".webp",), "image/webp")
ICO: Final = ImageFormat("ico", "ICO", "raster", (".ico",), "image/x-icon")

RASTERS: Final = (JPEG, PNG, GIF, BMP, WEBP, ICO)


def _raw(name: str, label: str, *extensions: str, vendor: str) -> ImageFormat:
    # Content types as the freedesktop.org shared MIME database names them.
    return ImageFormat(
        name, f"{label} RAW", "raw", (f".{name}", *extensions), f"image/x-{vendor}-{name}"
    )


CR2: Final = _raw("cr2", "Canon CR2", vendor="canon")
CR3: Final = _raw("cr3", "Canon CR3", vendor="canon")
CRW: Final = _raw("crw", "Canon CRW", vendor="canon")
DNG: Final = _raw("dng", "DNG", ".gpr", vendor="adobe")
MRW: Final = _raw("mrw", "Minolta MRW", ".mdc", vendor="minolta")
ORF: Final = _raw("orf", "Olympus ORF", ".ori", vendor="olympus")
RAF: Final = _raw("raf", "Fuji RAF", vendor="fuji")
RW2: Final = _raw("rw2", "Panasonic RW2", ".rwl", vendor="panasonic")
X3F: Final = _raw("x3f", "Sigma X3F", vendor="sigma")

SIGNED_RAWS: Final = (CR2, CR3, CRW, DNG, MRW, ORF, RAF, RW2, X3F)
GENERIC_RAW: Final = ".raw"

# RAW kinds whose bytes begin like any TIFF's: only the name, or a DNGVersion tag, distinguishes them.
_TIFF_RAWS: Final = {
    "3fr": "hasselblad", "arw": "sony", "dcr": "kodak", "erf": "epson", "fff": "hasselblad",
    "iiq": "phaseone", "k25": "kodak", "kdc": "kodak", "mef": "mamiya", "mos": "leaf",
    "nef": "nikon", "nrw": "nikon", "pef": "pentax", "sr2": "sony", "srf": "sony",
    "srw": "samsung",
}  # fmt: skip
TIFF_RAWS: Final = {
    f".{name}": _raw(name, name.upper(), vendor=vendor) for name, vendor in _TIFF_RAWS.items()
} | {
    GENERIC_RAW: ImageFormat("raw", "camera RAW", "raw", (GENERIC_RAW,), "image/x-dcraw"),
    **{
        f".{name}": ImageFormat(name, f"{name.upper()} RAW", "raw", (f".{name}",), "image/x-dcraw")
        for name in ("bay", "cap", "cs1", "dcs", "drf", "ptx", "rwz")
    },
}

RAW_EXTENSIONS: Final = frozenset(TIFF_RAWS) | {
    extension for kind in SIGNED_RAWS for extension in kind.extensions
}


def _picture(name: str, label: str, *extensions: str) -> ImageFormat:
    return ImageFormat(name, label, "picture", extensions or (f".{name}",))


HEIC: Final = _picture("heic", "HEIC", ".heic", ".heif", ".heics", ".heifs", ".hif")
AVIF: Final = _picture("avif", "AVIF", ".avif", ".avifs")
TIFF: Final = _picture("tiff", "TIFF", ".tif", ".tiff")
SVG: Final = _picture("svg", "SVG", ".svg", ".svgz")
PSD: Final = _picture("psd", "a Photoshop document", ".psd", ".psb")
JXL: Final = _picture("jxl", "JPEG XL")
JP2: Final = _picture("jp2", "JPEG 2000", ".jp2", ".j2k", ".j2c", ".jpf", ".jpx")
JXR: Final = _picture("jxr", "JPEG XR", ".jxr", ".wdp", ".hdp")
CUR: Final = _picture("cur", "a Windows cursor", ".cur", ".ani")
OS2: Final = ImageFormat("os2", "an OS/2 icon or bitmap array", "picture")
ICNS: Final = _picture("icns", "an Apple icon")
PCX: Final = _picture("pcx", "PCX", ".pcx", ".dcx")
XCF: Final = _picture("xcf", "a GIMP document")
EXR: Final = _picture("exr", "OpenEXR")
HDR: Final = _picture("hdr", "Radiance HDR")
PNM: Final = _picture("pnm", "PNM", ".pnm", ".pbm", ".pgm", ".ppm", ".pam", ".pfm")
QOI: Final = _picture("qoi", "QOI")
BPG: Final = _picture("bpg", "BPG")
DDS: Final = _picture("dds", "DDS")
DJVU: Final = _picture("djvu", "DjVu", ".djvu", ".djv")
MNG: Final = _picture("mng", "MNG", ".mng", ".jng")
RAS: Final = _picture("ras", "Sun raster", ".ras")
SGI: Final = _picture("sgi", "SGI")
TGA: Final = _picture("tga", "TGA")  # no signature
WMF: Final = _picture("wmf", "a Windows metafile", ".wmf", ".emf")
XBM: Final = _picture("xbm", "XBM")  # no signature: C source
XPM: Final = _picture("xpm", "XPM")
EPS: Final = ImageFormat("eps", "PostScript", "document", (".eps", ".epsf"))
PDF: Final = ImageFormat("pdf", "PDF", "document")

UNSUPPORTED: Final = (
    HEIC, AVIF, TIFF, SVG, PSD, JXL, JP2, JXR, CUR, OS2, ICNS, PCX, XCF, EXR, HDR, PNM, QOI, BPG,
    DDS, DJVU, MNG, RAS, SGI, TGA, WMF, XBM, XPM, EPS, PDF,
)  # fmt: skip
CONVERTIBLE: Final = (HEIC, AVIF, TIFF, PSD, JXL, JP2)
"""Formats that the service does not accept and that can be converted to JPEG, beside rasters and RAW."""

BY_NAME: Final = {
    kind.name: kind for kind in (*TIFF_RAWS.values(), *SIGNED_RAWS, *UNSUPPORTED, *RASTERS)
}
UNSUPPORTED_BY_EXTENSION: Final = {
    extension: kind for kind in UNSUPPORTED for extension in kind.extensions
}
