"""The inspector's pages of an event: the event itself, and what it changed."""

from __future__ import annotations

from collections.abc import Sequence

from natster_tui.engine.log.record_parser import ParsedRecord
from natster_tui.events.event import Event, Record
from natster_tui.events.parking import ParkReason
from natster_tui.events.tokens import NONE
from natster_tui.projections.history.steps import Effect
from natster_tui.projections.projection_sentences import change_line, payload_lines, seal_line
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import full_time
from natster_tui.tui.places.place import DocumentPlace, account_place
from natster_tui.tui.sheets.compare_sheet import CHANGE_TONES
from natster_tui.tui.sheets.sheet import Formatter, Section, Sheet, Tone, document_name


def event_sheet(parsed: ParsedRecord, parked: ParkReason | None, formatter: Formatter) -> Sheet:
    """An event, decoded. `parked` is why a projection parks it."""
    facts, message = Section("event"), Section("message")
    record, event = parsed.record, parsed.event
    if isinstance(event, ParkReason):
        _add_parked(facts, event)
    else:
        _add_parties(facts, event, formatter)
        if parked is not None:
            _add_parked(facts, parked)
    facts.add("happened", full_time(record.event_time))
    if record.event_time != record.time_ns // 1_000_000_000:
        facts.add("stored", stored_time(record))
    subject = screen_text(record.subject, 600, reveal=formatter.reveal)
    message.add("subject", subject, Tone.DIM)
    for name, value in record.headers:
        shown = f"{screen_text(name, 60)}: {formatter.field(name, value)}"
        message.add("header", shown, Tone.DIM)
    message.add("payload", "\n".join(payload_lines(record, reveal=formatter.reveal)))
    if record.seal is not None:
        message.add("sealed", seal_line(record.seal), Tone.DIM)
    return Sheet(_title(record.seq), (facts, message))


def absent_event_sheet(seq: int, *, deleted: bool) -> Sheet:
    """An event that is not loaded: it was deleted from the log, or has not arrived yet."""
    absent = Section("event")
    absent.add("", "it was deleted from the log" if deleted else "not loaded yet …", Tone.DIM)
    return Sheet(_title(seq), (absent,))


def change_sheet(seq: int, effects: Sequence[Effect] | str | None, formatter: Formatter) -> Sheet:
    """What an event changed in each projection, before and after, field by field.

    `effects` is None while they are being read, or a text that says why they cannot be.
    """
    key = formatter.keymap.hint("timeline.change")
    title = f"Change by event {seq:,} · {key} shows the event"
    if effects is None:
        reading = Section("change")
        reading.add("", "reading the events of the keys it touched …", Tone.DIM)
        return Sheet(title, (reading,))
    if isinstance(effects, str):
        failed = Section("change")
        failed.add("", effects, Tone.BAD)
        return Sheet(title, (failed,))
    if not effects:
        nothing = Section("change")
        nothing.add("", "it is parked: no projection uses it, and nothing changed")
        return Sheet(title, (nothing,))
    return Sheet(title, tuple(_effect(effect, formatter) for effect in effects))


def stored_time(record: Record) -> str:
    """When the stream stored a record."""
    return full_time(record.time_ns // 1_000_000_000)


def _title(seq: int) -> str:
    return f"Event {seq:,}"


def _add_parked(section: Section, reason: ParkReason) -> None:
    section.add("parked", f"{reason.value}: {reason.explanation}", Tone.BAD)
    section.add("needed", reason.needed)


def _add_parties(section: Section, event: Event, formatter: Formatter) -> None:
    section.add("what", event.kind.word, Tone.STRONG)
    section.add("origin", formatter.account(event.origin), place=account_place(event.origin))
    if event.target != NONE:
        section.add("target", formatter.account(event.target), place=account_place(event.target))
    if event.catalog != NONE:
        place = DocumentPlace(CATALOGS.name, event.catalog)
        section.add("catalog", screen_text(event.catalog, 200), place=place)


def _effect(effect: Effect, formatter: Formatter) -> Section:
    section = Section(effect.projection.name)
    name = document_name(effect.projection, effect.key, formatter.names)
    made = " (made by this event)" if effect.made else ""
    place = DocumentPlace(effect.projection.name, effect.key)
    section.add(effect.projection.name, f"{name}{made}", Tone.STRONG, place=place)
    for change in effect.fields:
        line = change_line(change, reveal=formatter.reveal, names=formatter.names)
        section.add("", line, CHANGE_TONES.get(line[0], Tone.PLAIN))
    if not effect.fields:
        section.add("", "nothing changed", Tone.DIM)
    return section
