"""The inspector's comparison of a document at two moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from natster_tui.projections.diff import FieldChange
from natster_tui.projections.projection_sentences import change_line
from natster_tui.text.counting import counted
from natster_tui.tui.places.place import EventPlace
from natster_tui.tui.sheets.sheet import Formatter, Section, Sheet, Tone

CHANGE_TONES = {"+": Tone.GOOD, "-": Tone.BAD, "~": Tone.WARN}
"""The tones of field lines, by their first character."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two moments: its sequence (0: before the first event) and its label."""

    seq: int
    label: str
    exists: bool


def compare_sheet(
    title: str,
    sides: tuple[Side, Side] | None,
    changes: Sequence[FieldChange] | str,
    formatter: Formatter,
) -> Sheet:
    """The fields in which a document differs; `changes` may be a text that says why not."""
    section = Section("comparison")
    if isinstance(changes, str) or sides is None:
        section.add("", str(changes), Tone.DIM if sides is None else Tone.BAD, wide=True)
        return Sheet(title, (section,))
    for label, side in zip(("from", "to"), sides, strict=True):
        moment = side.label if side.exists else f"{side.label}: it did not exist"
        section.add(label, moment, place=EventPlace(side.seq) if side.seq else None)
    section.add("", "")
    if not changes:
        section.add("", "nothing changed between them", Tone.DIM, wide=True)
    else:
        section.add("", f"{counted(len(changes), 'field')} changed", Tone.DIM, wide=True)
    for change in changes:
        line = change_line(change, reveal=formatter.reveal, names=formatter.names)
        section.add("", line, CHANGE_TONES.get(line[0], Tone.PLAIN), wide=True)
    return Sheet(title, (section,))
