"""The emulator's fault rules, from a YAML file or a program.

- {route: check, every: 10, action: {type: answer, status: 503, body: html}}
- {route: check, file_name: "*.png", action: {type: reset, when: after}}
- {route: web, file_name: "site.example/*.jpg", action: {type: answer, status: 404, body: html}}
- {route: web, file_name: "*/a.jpg", action: {type: replace, by: other.example/b.jpg}}
- {after: 30, until: 90, action: {type: answer, status: 502, body: empty}}   # an outage
"""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from batchscan.emulator.fault_actions import Action, Seconds
from batchscan.emulator.journal import Route
from batchscan.errors import UsageError

_MAX_BYTES = 1_000_000  # bytes of a file of rules
_Count = Annotated[int, msgspec.Meta(ge=1)]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule: an action, and the requests that it applies to.

    Of the requests that match `route`, `file_name` and the time, `nth`, `every` and `probability`
    choose (all of them that are given), and `count` ends the rule.
    """

    action: Action
    route: Route | Literal["any"] = "any"
    # A glob; only checks have file names, and the web's files, theirs with the path below its folder.
    file_name: str | None = None
    after: Seconds = 0.0  # since the emulator started
    until: Seconds | None = None
    nth: _Count | None = None
    every: _Count | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    seed: int = 0  # of the probability: the same requests fail each time
    count: _Count | None = None


class _FaultRule:
    """A fault with counts of its requests."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._random = random.Random(fault.seed)  # noqa: S311 - chance that can be repeated
        self._met = 0
        self._struck = 0

    @property
    def by_name(self) -> bool:
        return self._fault.file_name is not None

    def strike(self, route: Route, file_name: str | None, since: float) -> Action | None:
        """Count a request; returns the action if the rule applies to it."""
        fault = self._fault
        if not self._fits(route, file_name, since):
            return None
        self._met += 1
        chosen = (
            fault.nth in (None, self._met)
            and (fault.every is None or self._met % fault.every == 0)
            and (fault.probability is None or self._random.random() < fault.probability)
            and (fault.count is None or self._struck < fault.count)
        )
        self._struck += chosen
        return fault.action if chosen else None

    def _fits(self, route: Route, file_name: str | None, since: float) -> bool:
        fault = self._fault
        routes = (route,) if route == "web" else ("any", route)  # any: of the service
        if fault.route not in routes or since < fault.after:
            return False
        if fault.until is not None and since >= fault.until:
            return False
        return fault.file_name is None or fnmatchcase(file_name or "", fault.file_name)


class FaultRules:
    """All rules, with their counts."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        self._rules = [_FaultRule(fault) for fault in faults]

    def on_arrival(self, route: Route, since: float) -> list[Action]:
        """The actions for a request before its body is read: of rules without a file name."""
        return self._strike([rule for rule in self._rules if not rule.by_name], route, None, since)

    def on_upload(self, file_name: str, since: float) -> list[Action]:
        """The actions for a check with its picture: of rules with a file name."""
        named = [rule for rule in self._rules if rule.by_name]
        return self._strike(named, "check", file_name, since)

    def on_page(self, path: str, since: float) -> list[Action]:
        """The actions for a request for a file of the web."""
        return self._strike(self._rules, "web", path, since)

    def _strike(
        self, rules: list[_FaultRule], route: Route, file_name: str | None, since: float
    ) -> list[Action]:
        actions = [rule.strike(route, file_name, since) for rule in rules]
        return [action for action in actions if action is not None]


def read_faults(path: Path) -> tuple[Fault, ...]:
    """Read a list of rules from a YAML file.

    Raises:
        UsageError: the file cannot be read, or is not valid.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise UsageError(f"{path}: larger than any file of faults")
        return msgspec.convert(yaml.safe_load(data) or [], tuple[Fault, ...])
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{path}: {error}", advice="`$[0]` is the first rule in the file"
        ) from error
