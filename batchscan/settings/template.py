"""A template of a settings file: all settings with help and default, as comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchscan.settings.catalog import SettingSpec, entries, groups, subgroups

_HEAD = """\
# The settings of batchscan. Flags and the environment win over this file.
# Durations: 250ms, 15m, 1h30m, 30d. Sizes: 20MB, 256MiB. Relative paths start at
# this file's folder. To change a setting, remove the # before its name; a setting
# that stays a comment has the default shown.
"""


def settings_template(given: Mapping[str, object]) -> str:
    """The text of a settings file.

    Args:
        given: the settings that are not comments, by dotted key.
    """
    return "\n".join([_HEAD, *_lines(given)])


def _lines(given: Mapping[str, object]) -> Iterator[str]:
    described = groups() | subgroups()
    last: tuple[str, ...] = ()
    for entry in entries():
        *path, name = entry.key.split(".")
        for depth in range(len(path)):
            heading = tuple(path[: depth + 1])
            if last[: depth + 1] != heading:
                key = ".".join(heading)
                if depth == 0 and last:
                    yield ""
                yield f"{'  ' * depth}# {described[key].__doc__}"
                yield f"{'  ' * depth}{path[depth]}:"
        last = tuple(path)
        yield f"{'  ' * len(path)}# {_meaning(entry)}"
        mark = "" if entry.key in given else "#"
        value = given.get(entry.key, entry.default)
        yield f"{'  ' * len(path)}{mark}{name}: {entry.show(value)}"
    yield ""


def _meaning(entry: SettingSpec) -> str:
    return f"{entry.help} ({entry.env})" if entry.env else entry.help
