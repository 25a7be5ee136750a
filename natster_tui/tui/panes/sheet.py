"""What the inspector shows, as values: a title, and labelled lines in named sections.

The modules `event_sheet`, `document_sheet` and `projector_sheet` build sheets, `inspector` paints
them. Everything from outside is made safe while a sheet is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from natster_tui.projections.wording import Names
from natster_tui.text.masking import MASK, is_secret_name, mask_text, screen_text
from natster_tui.text.safe_text import safe_block
from natster_tui.tui.places.place import Place


class Tone(StrEnum):
    """How a line stands out. The value is a variable of the theme, or a style."""

    PLAIN = ""
    STRONG = "bold"
    DIM = "dim"
    SECOND = "text-secondary"
    GOOD = "text-success"
    WARN = "text-warning"
    BAD = "text-error"


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its label (empty: it goes on from the one above) and its text, perhaps several lines.

    A text longer than the screen is wide is wrapped beside its label.
    """

    label: str
    text: str
    tone: Tone = Tone.PLAIN
    place: Place | None = None
    """What the line names, if that can be gone to."""


@dataclass(slots=True)
class Section:
    """Lines about one thing, such as the message or the document."""

    name: str
    lines: list[Line] = field(default_factory=list)

    def add(
        self, label: str, text: str, tone: Tone = Tone.PLAIN, place: Place | None = None
    ) -> None:
        """Add a line."""
        self.lines.append(Line(label, text, tone, place))


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that the inspector shows about one thing."""

    title: str
    sections: tuple[Section, ...]

    @property
    def lines(self) -> Iterator[Line]:
        """The lines of all sections."""
        for section in self.sections:
            yield from section.lines


@dataclass(frozen=True, slots=True)
class Manner:
    """How sheets are written: account names, the time now (unix seconds), secrets shown or not."""

    names: Names
    now: float
    reveal: bool = False

    def account(self, key: str) -> str:
        """An account's name and key, or the key alone if it has no name."""
        name, shown = self.names.of(key), screen_text(key, 100)
        return shown if "…" in name or name == shown else f"{name}  {shown}"

    def field(self, name: str, value: str) -> str:
        """The value of a named field, over several lines if it has them."""
        if self.reveal or not value:
            return safe_block(value, 12, 2_000)
        return MASK if is_secret_name(name) else safe_block(mask_text(value), 12, 2_000)
