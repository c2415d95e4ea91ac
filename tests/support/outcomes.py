"""Outcomes of every kind, as literals and as a hypothesis strategy."""

from hypothesis import strategies as st

from batchscan.enums import DeferReason, FailReason, MatchKind, RejectReason
from batchscan.model import (
    Answer,
    Deferred,
    Effort,
    Failed,
    Match,
    Rejected,
    Reused,
    Scanned,
    Score,
    ServiceError,
    Subject,
)

EFFORT = Effort(
    started_at=1_795_456_957.0,
    finished_at=1_795_456_958.5,
    elapsed_ms=1500,
    attempts=1,
    scan_id="a1b2c3",
    generation=1,
)
NO_EFFORT = Effort(started_at=1_795_456_957.0, finished_at=1_795_456_957.0, elapsed_ms=0)
MATCH = Match("https://example.com/a.jpg", MatchKind.FULL, ("https://example.com/",), "example.com")
ANSWER = Answer(
    body=b"{}",
    received_at=1_795_456_958.25,
    credits=1,
    expected_credits=1,
    score=Score(1, 1, 0),
    matches=(MATCH,),
    warnings=("odd field",),
)
SUBJECT = Subject("/pics/a.jpg", 1234, "0" * 64, "jpeg", 8, 6, ("name does not fit",))

_texts = st.text(st.characters(codec=None), max_size=20)
_counts = st.integers(0, 5)
_subjects = st.builds(
    Subject,
    _texts.map(lambda text: text.encode("utf-8", "replace").decode()),
    st.none() | st.integers(0, 2**40),
    warnings=st.tuples(_texts),
)
_efforts = st.builds(
    Effort, st.floats(0, 4e9), st.floats(0, 4e9), st.integers(0, 10**6), attempts=_counts
)
_matches = st.builds(Match, _texts, st.sampled_from(MatchKind), st.tuples(_texts), _texts)
_answers = st.builds(
    Answer,
    st.just(b""),
    st.floats(0, 4e9),
    st.none() | _counts,
    st.none() | _counts,
    st.none() | st.builds(Score, _counts, _counts, _counts),
    st.lists(_matches, max_size=2).map(tuple),
)
_errors = st.none() | st.builds(ServiceError, st.none() | st.just(500), _texts, _texts)

outcomes = st.one_of(
    st.builds(Scanned, _subjects, _efforts, _answers),
    st.builds(Reused, _subjects, _efforts, _answers),
    st.builds(Rejected, _subjects, _efforts, st.sampled_from(RejectReason), _texts, _errors),
    st.builds(Failed, _subjects, _efforts, st.sampled_from(FailReason), _texts, _errors),
    st.builds(Deferred, _subjects, _efforts, st.sampled_from(DeferReason), _texts),
)
