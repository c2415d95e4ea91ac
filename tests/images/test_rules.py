import dataclasses

import pytest

from batchscan.enums import RejectReason
from batchscan.images.rules import Rules, RuleViolation, Size
from batchscan.settings.model import Scan, Send


def test_rules_come_from_the_settings():
    scan = Scan(check="fast", max_bytes=1000, max_pixels=500)

    assert Rules.of(scan, Send("never", "keep")) == Rules("fast", 1000, 500)
    assert Rules.of(Scan(renditions="ask"), Send("never", "keep")) == Rules()
    assert Rules.of(Scan(), Send()) == Rules(convert=True, strip=True, fingerprints=True)
    assert Rules.of(Scan(check="fast", renditions="cover"), Send()).fingerprints

    assert Rules(fingerprints=True).fingerprint == Rules().fingerprint, "no other verdict"


@pytest.mark.parametrize("change", [{"check": "fast"}, {"max_bytes": 1}, {"max_pixels": 1}])
def test_another_rule_gives_another_fingerprint(change):
    rules = Rules()

    assert dataclasses.replace(rules, **change).fingerprint != rules.fingerprint


def test_exactly_the_limit_of_pixels_passes_and_one_more_does_not():
    rules = Rules(max_pixels=3072)

    rules.limit(Size(64, 48))
    with pytest.raises(RuleViolation, match=r"1x3073 is 3,073 pixels") as refused:
        rules.limit(Size(1, 3073))
    assert refused.value.reason is RejectReason.TOO_MANY_PIXELS
