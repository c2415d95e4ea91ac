"""The keys of the review page: the legend, the buttons and the script follow this one table."""

from __future__ import annotations

from typing import Final, NamedTuple

from batchscan.enums import Disposition


class Key(NamedTuple):
    """A key, and what it does."""

    keys: tuple[str, ...]  # as browsers name them
    action: str  # the button or link that it presses (`data-action`)
    label: str
    meaning: str
    decides: Disposition | None = None


KEYS: Final = (
    Key(("r",), "reviewed", "Reviewed", "a copy that should not be there", Disposition.REVIEWED),
    Key(("n",), "not_mine", "Not mine", "looks alike but is not a copy", Disposition.NOT_MINE),
    Key(("t",), "noticed", "Noticed", "a notice was sent to its site", Disposition.NOTICED),
    Key(("d",), "removed", "Removed", "its site took it down", Disposition.REMOVED),
    Key(("a",), "allow", "Allow this site", "it may stay there; asks for a reason"),
    Key(("u",), "undo", "Undo", "undo the last decision of this window"),
    Key(("x",), "select", "Select", "with Shift: all from the one selected before"),
    Key(("j", "ArrowDown", "ArrowRight"), "next", "Next", "go on without deciding"),
    Key(("k", "ArrowUp", "ArrowLeft"), "previous", "Previous", "go back"),
    Key(("c",), "capture", "Capture", "keep what is at their address now, and show it"),
    Key(("s",), "recheck", "Still there?", "ask their site now; costs nothing"),
    Key(("m",), "note", "Note", "write a note; it goes with the next decision"),
    Key(("/",), "search", "Search", "in addresses, pages and paths"),
    Key(("?",), "legend", "Keys", "show or hide this list"),
)

DECISIONS: Final = tuple(key for key in KEYS if key.decides is not None)
"""The keys that decide, in the order of their buttons."""

NAMES: Final = {"ArrowDown": "↓", "ArrowRight": "→", "ArrowUp": "↑", "ArrowLeft": "←"}
"""The labels of keys whose names differ from them."""


def action(name: str) -> Key:
    """The key of an action."""
    return next(key for key in KEYS if key.action == name)
