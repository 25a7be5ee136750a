"""Writing the log as JSON lines, in the form that `natster_tui.events.log.lines` describes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from natster_tui.engine.log.export_keys import export_key_lines
from natster_tui.events.event import Record
from natster_tui.events.log.carried import DroppedHeaders
from natster_tui.events.log.lines import encode_line
from natster_tui.events.sealed_payload import Unopened
from natster_tui.events.system import EventSystem
from natster_tui.store.log import EventLog
from natster_tui.text.counting import counted, counted_is

REASONS_SHOWN = 3


@dataclass(slots=True)
class ExportReport:
    """What an export reports about the lines that it wrote."""

    opened: NotOpened | None = None
    """Counts payloads that did not open; None if payloads are exported as they are stored."""
    markers: int = 0
    """Delete markers, which are not events and not written."""
    left_out: DroppedHeaders = field(default_factory=DroppedHeaders)
    """Headers that are written, and that an import leaves out."""
    refused: int = 0
    """Events that are written, and that an import refuses because of their subject."""
    first_refused: int = 0
    subjects: str = ""
    """The log's own subjects, set with the first event on another subject."""
    about_keys: list[str] = field(default_factory=list)
    """Sentences about the keys that were written."""

    @property
    def sentences(self) -> list[str]:
        """What the user should know about the file, one sentence each."""
        sentences = [*self.about_keys, *([] if self.opened is None else self.opened.sentences)]
        if self.markers:
            sentences.append(
                f"{counted_is(self.markers, 'delete marker')} not exported: nothing happened"
            )
        sentences += self.left_out.sentences("import leaves out")
        if self.refused:
            sentences.append(
                f"{counted_is(self.refused, 'event')} not on {self.subjects}, the first at "
                f"{self.first_refused:,}: import refuses a file that holds such lines"
            )
        return sentences

    def line_of(self, record: Record, system: EventSystem) -> str | None:
        """The line of a record, which is counted; None for a delete marker."""
        if record.stored_headers:
            if record.is_marker:
                self.markers += 1
                return None
            self.left_out.count(record)
        if not system.has_subject(record.subject):
            self.refused += 1
            self.subjects = system.subjects
            self.first_refused = self.first_refused or record.seq
        payload = None
        if self.opened is not None and record.seal is not None:
            payload = self.opened.payload(record)
        return encode_line(record, payload)


@dataclass(slots=True)
class NotOpened:
    """The events of an export whose payload did not open, counted by the reason."""

    sealed: Counter[str] = field(default_factory=Counter)
    """Those whose key may become available; they are written as they are stored."""
    erased: Counter[str] = field(default_factory=Counter)
    """Those that can never be opened again; they are written without a payload."""

    @property
    def sentences(self) -> list[str]:
        """How they were written and why, the most common reasons first; empty if there are none."""
        groups = (("stayed sealed", self.sealed), ("came out empty", self.erased))
        return [_with_reasons(how, reasons) for how, reasons in groups if reasons]

    def payload(self, record: Record) -> bytes | None:
        """The payload to write for a sealed record; None to write it as it is stored."""
        assert record.seal is not None
        match record.seal.unopened:
            case None:
                return record.payload
            case Unopened.ERASED:
                # Folded elsewhere, it has the same effect as here: an initialization counts without
                # a name, a binding not at all. An import would refuse a file with a sealed one.
                self.erased[record.seal.reason] += 1
                return b""
            case _:
                self.sealed[record.seal.reason] += 1
                return None


def _with_reasons(how: str, reasons: Counter[str]) -> str:
    shown = [reason for reason, _count in reasons.most_common(REASONS_SHOWN)]
    more = len(reasons) - len(shown)
    also = f"; and {more:,} other reasons" if more else ""
    return f"{counted(reasons.total(), 'event')} {how}: {'; '.join(shown)}{also}"


async def export_lines(
    log: EventLog,
    since: int,
    instance: str,
    report: ExportReport | None = None,
    *,
    with_keys: bool = False,
) -> AsyncGenerator[str, None]:
    """The events from sequence `since` to the present head, one line each.

    With keys, these come first. `report` counts what the user should know.
    """
    report = report or ExportReport()
    last = (await log.refresh()).last_seq
    if with_keys:
        # After the head was read: a key is stored before anything is sealed with it.
        keys, report.about_keys = await export_key_lines(log)
        for line in keys:
            yield line
    async with aclosing(log.records(since, last, purpose="export", instance=instance)) as batches:
        async for batch in batches:
            for record in batch:
                event = report.line_of(record, log.system)
                if event is not None:
                    yield event
