from batchscan.util.timestamps import rfc3339


def test_an_instant_is_utc_with_milliseconds():
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_795_456_957.25) == "2026-11-23T18:02:37.250Z"
