"""Versions of one picture in a run: noting them, covering them by one answer, counting them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial

from batchscan.engines.interface import Engine
from batchscan.enums import DeferReason
from batchscan.images.sending import is_converted
from batchscan.ledger import FreshnessPolicy, Ledger, LedgerThread
from batchscan.ledger.rendition_files import RenditionFile
from batchscan.ledger.renditions import Cover
from batchscan.model import (
    Answer,
    Candidate,
    Covered,
    Deferred,
    Effort,
    Image,
    NotSendable,
    Reused,
    Scanned,
    Subject,
)
from batchscan.pipeline.decision import Decision, Plain, Stored
from batchscan.pipeline.kept_conversions import KeptConversions
from batchscan.pipeline.known_answers import Lookup
from batchscan.pipeline.outcomes import Stopwatch, subject_of
from batchscan.pipeline.recorder import Recorded, Recorder
from batchscan.pipeline.rendition_confirming import RenditionConfirmer
from batchscan.pipeline.rendition_family import Answered, Covering, Member, Planned
from batchscan.pipeline.settlement import Settled
from batchscan.rendition_types import CoveredBy, Fingerprint
from batchscan.settings import Settings
from batchscan.tally import Tally

BETTER_THAN_ASKED = "larger_than_the_version_asked_about"
"""The warning of a picture that came after a smaller version of it had been answered."""

MakeSendable = Callable[[Image, Candidate], Awaitable[Image | NotSendable]]


@dataclass(slots=True)
class RenditionCoverer:
    """Notes and covers versions, depending on `scan.renditions`."""

    settings: Settings
    freshness: FreshnessPolicy
    ledger: LedgerThread
    engine: Engine
    recorder: Recorder
    tally: Tally
    lookup: Lookup
    confirmer: RenditionConfirmer
    conversions: KeptConversions = field(default_factory=KeptConversions)

    @property
    def covers(self) -> bool:
        """Whether versions of answered pictures are not sent."""
        return self.settings.scan.renditions == "cover"

    @property
    def counts(self) -> bool:
        """Whether versions are sent, and counted."""
        return self.settings.scan.renditions == "report" and self.settings.scan.check == "full"

    async def survey(
        self, image: Image, candidate: Candidate, make_sendable: MakeSendable
    ) -> bool | NotSendable:
        """Note a new picture, to be decided when all have been inspected.

        Returns:
            True if it was noted; False if it can be decided now, as its content is known or
            covered already; `NotSendable` if it has to be converted and that fails.
        """
        made_later = image.fingerprint is None and is_converted(image)
        decidable, looked, fingerprint = await self.ledger.run(
            partial(self._stored_facts, image)
            if made_later
            else partial(self._note_new, image, candidate)
        )
        if not self.settings.force and decidable:
            return False
        if made_later:
            if looked and fingerprint is not None:
                width, height = image.width or fingerprint.width, image.height or fingerprint.height
            else:
                made = await make_sendable(image, candidate)
                if isinstance(made, NotSendable):
                    return made
                self.engine.release(made)
                self.conversions.put(made)
                fingerprint, width, height = made.fingerprint, made.width, made.height
            image = replace(image, fingerprint=fingerprint, width=width, height=height)
            await self.ledger.run(partial(self._note, image, candidate, answered=decidable))
        return True

    def _note_new(
        self, image: Image, candidate: Candidate, ledger: Ledger
    ) -> tuple[bool, bool, Fingerprint | None]:
        """The same, and the picture is noted; of a known one, what new files are compared with."""
        facts = self._stored_facts(image, ledger)
        decidable, _, _ = facts
        if not decidable or self.settings.force:
            self._note(image, candidate, ledger, answered=decidable)
        elif not self.settings.rehash:
            ledger.renditions.files.keep_thumbnail(image.sha256, image.fingerprint)
        return facts

    def _stored_facts(self, image: Image, ledger: Ledger) -> tuple[bool, bool, Fingerprint | None]:
        """Whether a content can be decided now, whether it has a stored fingerprint, and that."""
        decidable = ledger.known.is_conclusive(image.sha256)
        decidable = decidable or self._cover_that_holds(image.sha256, ledger) is not None
        return decidable, *ledger.renditions.fingerprint(image.sha256)

    def _note(self, image: Image, candidate: Candidate, ledger: Ledger, *, answered: bool) -> None:
        if not self.settings.dry_run:
            ledger.renditions.keep(image.sha256, image.fingerprint)
        converted = is_converted(image)
        file = RenditionFile.of(image, candidate, converted=converted, answered=answered)
        ledger.renditions.files.note(file)

    async def note_asked(self, image: Image, candidate: Candidate) -> None:
        """Note a picture that was sent, to find out whether it was a version of another one."""
        if self.counts and image.fingerprint is not None:
            await self.ledger.run(partial(self._note, image, candidate, answered=False))

    def _cover_of(self, sha256: str, ledger: Ledger) -> Cover | None:
        """The cover of a content from an earlier run, unless a user has split the two since."""
        cover = ledger.renditions.covered(sha256)
        if cover is None:
            return None
        alone = ledger.renditions.decisions.verdicts().alone
        return None if alone & {sha256, cover.by.sha256} else cover

    def _cover_that_holds(self, sha256: str, ledger: Ledger) -> tuple[Cover, Answered] | None:
        """The same if the answer can be used and is recent enough."""
        cover = self._cover_of(sha256, ledger)
        if cover is None:
            return None
        answered = self._answered(ledger, cover.by.sha256, cover.by.path)
        return (cover, answered) if answered is not None else None

    async def covered_before(self, image: Image, watch: Stopwatch) -> Stored | None:
        """The decision on a content covered in an earlier run, if that answer is current."""
        if not self.covers or self.settings.force:
            return None
        covered = await self.ledger.run(partial(self._cover_that_holds, image.sha256))
        if covered is None:
            return None
        cover, answered = covered
        answer = await self._answer(answered, image.path)
        if answer is None:
            return None
        await self._keep_preview(image, answer)
        width, height = image.width or cover.size[0], image.height or cover.size[1]
        image = replace(image, width=width, height=height)
        outcome = Covered(subject_of(image), _effort(watch, answered), answer, cover.by)
        return Stored(outcome, answered.picture_id, answered.answer_id, equal=True)

    async def _keep_preview(self, image: Image, answer: Answer) -> None:
        """Keep what a version looks like where only a later answer about it has matches."""
        if self.settings.dry_run or not await self.ledger.run(
            lambda ledger: ledger.renditions.lacks_preview(image.sha256)
        ):
            return
        preview = await _preview(image.fingerprint, answer)
        if preview is not None:
            await self.ledger.run(
                lambda ledger: ledger.renditions.keep_preview(image.sha256, preview)
            )

    def find_answer(self, ledger: Ledger, file: RenditionFile) -> Answered | None:
        """The answer of a picture, if it can cover its versions: it is current and complete."""
        return self._answered(ledger, file.sha256, file.candidate.path, file)

    def _answered(
        self, ledger: Ledger, sha256: str, path: str, file: RenditionFile | None = None
    ) -> Answered | None:
        newest = ledger.known.facts(sha256)
        if newest is None or not newest.readable:
            return None
        current = self.freshness.is_answer_current(
            newest.run_id, newest.received_at, matched=newest.matched
        )
        if not (current or ledger.rescan_queue.holds(path, taken=self.settings.dry_run)):
            return None
        return Answered(file, newest.picture_id, newest.id, newest.scan_id, newest.generation)

    async def _answer(self, answered: Answered, path: str) -> Answer | None:
        """The answer for a version at `path`, which is to be released; None if it is unreadable."""
        answer = await self.lookup.answer(answered.answer_id, path)
        return None if answer is None or answer.trouble is not None else answer

    async def cover(self, member: Member, covering: Covering, watch: Stopwatch) -> bool:
        """Decide a picture by the answer of the one that it is a version of.

        Returns:
            False if that cannot be read any more, and nothing was decided.

        Raises:
            StorageError: the decision cannot be recorded.
        """
        covering = await self._by_what_was_sent(covering)
        file, answered = member.file, covering.answered
        subject = _subject(file)
        if self.settings.dry_run or isinstance(answered, Planned):
            await self._plan_to_cover(subject, covering, watch)
            return True
        answer = await self._answer(answered, file.candidate.path)
        if answer is None:
            return False
        first = answered.file
        if first is not None and file.width * file.height > first.width * first.height:
            subject = replace(subject, warnings=(*subject.warnings, BETTER_THAN_ASKED))
        outcome = Covered(subject, _effort(watch, answered), answer, covering.by)
        preview = await _preview(file.fingerprint, answer)
        await self.recorder.record(
            outcome, partial(_remember, file, covering.by, answered, preview)
        )
        return True

    async def _by_what_was_sent(self, covering: Covering) -> Covering:
        """The same with the path of the file that was sent, as its content may have moved."""
        if isinstance(covering.answered, Planned):
            return covering
        scan_id = covering.answered.scan_id
        path = await self.ledger.run(lambda ledger: ledger.claims.path_of(scan_id))
        return covering if path is None else replace(covering, by=covering.by._replace(path=path))

    async def _plan_to_cover(self, subject: Subject, covering: Covering, watch: Stopwatch) -> None:
        detail = f"would be covered by the answer of {covering.by.path}"
        if isinstance(covering.answered, Planned):
            detail += ", which would be sent"
        self.tally.planned_shared += 1
        self.tally.renditions = (self.tally.renditions or 0) + 1
        await self.recorder.record(Deferred(subject, watch.effort(), DeferReason.DRY_RUN, detail))

    def answered_by(self, member: Member, decision: Decision | None) -> Answered | Planned | None:
        """The answer by which a decided member may cover others; None without one."""
        if decision is None or decision.outcome.subject.sha256 != member.file.sha256:
            return None  # it is decided later, or the file changed meanwhile
        match decision:
            case Plain(outcome=Deferred(reason=DeferReason.DRY_RUN)):
                return Planned()
            case (
                Settled(outcome=Scanned() as outcome, picture_id=picture_id, answer_id=int(number))
                | Stored(outcome=Reused() as outcome, picture_id=picture_id, answer_id=number)
            ):
                effort = outcome.effort
                return Answered(
                    member.file,
                    picture_id,
                    number,
                    effort.scan_id,
                    effort.generation,
                )
            case _:
                return None


def _effort(watch: Stopwatch, answered: Answered) -> Effort:
    return watch.effort(0, answered.scan_id, answered.generation)


def _subject(file: RenditionFile) -> Subject:
    return Subject(
        file.candidate.path, file.stat.size, file.sha256, file.format, file.width, file.height
    )


async def _preview(fingerprint: Fingerprint | None, answer: Answer) -> bytes | None:
    """The preview of a version for reports, which show it if the answer has matches."""
    if not (answer.matches or answer.gone):
        return None
    from batchscan.images.fingerprints import preview_of  # noqa: PLC0415 - it imports numpy

    return await asyncio.to_thread(preview_of, fingerprint)


def _remember(
    file: RenditionFile,
    by: CoveredBy,
    answered: Answered,
    preview: bytes | None,
    ledger: Ledger,
) -> Recorded:
    """Store what covers a file, so that later runs need not open it."""
    picture_id, path = answered.picture_id, file.candidate.path
    ledger.renditions.cover(file, Cover(picture_id, by), preview)
    ledger.files.upsert(path, file.stat, picture_id=picture_id, sha256=file.sha256)
    ledger.report_pictures.add(picture_id, path, fresh=False, covered=True)
    return Recorded(answered.answer_id)
