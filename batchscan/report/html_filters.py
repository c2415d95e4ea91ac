"""The filters of the page, with the number of matches for each choice."""

from __future__ import annotations

from collections.abc import Mapping
from os import fsdecode
from typing import NamedTuple

from markupsafe import Markup

from batchscan.report.html_escaping import cut, whole
from batchscan.report.text import NO_SITE
from batchscan.report_sections import MatchFacets
from batchscan.util.escaping import replace_surrogates

MAX_SITES = 1_000
MAX_FOLDERS = 500


class FilterOption(NamedTuple):
    """A choice."""

    value: Markup  # whole, however long
    words: str
    number: int


class Filter(NamedTuple):
    """A list to choose from."""

    id: str
    label: str
    options: list[FilterOption]
    more: int  # choices that are not listed


def filters(facets: MatchFacets) -> list[Filter]:
    """The filters of the page, without those that have nothing to choose."""
    sites = sorted(facets.sites.items(), key=lambda item: -item[1])
    most = dict(sorted(facets.folders.items(), key=lambda item: -item[1])[:MAX_FOLDERS])
    folders = {path: number for path, number in facets.folders.items() if path in most}
    # The blank distinguishes a site without a name from "all".
    by_site = [
        FilterOption(Markup.escape(f" {cut(replace_surrogates(name))}"), name or NO_SITE, number)
        for name, number in sites[:MAX_SITES]
    ]
    by_folder = [
        FilterOption(Markup.escape(whole(fsdecode(path))), fsdecode(path), number)
        for path, number in folders.items()
    ]
    lists = [
        Filter("kind", "Kind", _options(facets.kinds), 0),
        Filter("state", "State", _options(facets.states), 0),
        Filter("decided", "Decided", _options(facets.dispositions), 0),
        Filter("site", "Site", by_site, len(sites) - len(by_site)),
        Filter("folder", "Folder", by_folder, len(facets.folders) - len(by_folder)),
    ]
    return [filter_ for filter_ in lists if filter_.options]


def _options(counts: Mapping[str, int]) -> list[FilterOption]:
    return [
        FilterOption(Markup.escape(value), value.replace("_", " "), number)
        for value, number in sorted(counts.items(), key=lambda item: -item[1])
    ]
