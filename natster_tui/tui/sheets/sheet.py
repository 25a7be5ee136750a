"""The value types of the inspector's pages: sheets, sections, lines and tables.

The other modules of this folder build sheets, `layout` fits them to a width, and the inspector
paints them. Everything from outside is made safe while a sheet is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from natster_tui.projections.api import Projection
from natster_tui.projections.projection_sentences import Names, short_key
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.text.masking import MASK, is_secret_name, mask_text, screen_text
from natster_tui.text.safe_text import safe_block
from natster_tui.tui.keys.keymap import AS_DECLARED, Keymap
from natster_tui.tui.places.place import Place


class Tone(StrEnum):
    """The look of a text; the value is a variable of the theme, or a style."""

    PLAIN = ""
    STRONG = "bold"
    DIM = "dim"
    SECOND = "text-secondary"
    GOOD = "text-success"
    WARN = "text-warning"
    BAD = "text-error"


@dataclass(frozen=True, slots=True)
class Fold:
    """A part of a JSON document that Enter folds or unfolds, by its path of names and indexes."""

    path: tuple[str | int, ...]
    is_folded: bool


Target = Place | Fold
"""Where Enter or a click on a text goes, or what it folds."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line with a label and a text; an empty label continues the line above.

    The text may have several lines. If it is wider than the screen, it is wrapped.
    """

    label: str
    text: str
    tone: Tone = Tone.PLAIN
    place: Target | None = None
    """What the line links to, if anything."""
    wide: bool = False
    """Whether the text begins at the left edge, where other lines have their label."""


@dataclass(frozen=True, slots=True)
class Span:
    """The text in one column of a table's row."""

    text: str
    tone: Tone = Tone.PLAIN
    place: Target | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. It is as wide as its texts need, or shares what room there is."""

    heading: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of any length, because only the rows in view are made.

    `spans` makes a row's texts, one for each column. `basis` is what the texts depend on besides
    the rows; tables with equal rows and an equal `basis` are equal.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Any]
    spans: Callable[[Any], tuple[Span, ...]] = field(compare=False)
    basis: object = None


HISTORY = "history"
"""The name of the section that may be beside the others."""


@dataclass(slots=True)
class Section:
    """Lines and tables about one thing, such as the message or the document."""

    name: str
    items: list[Line | Table] = field(default_factory=list)

    def add(
        self,
        label: str,
        text: str,
        tone: Tone = Tone.PLAIN,
        place: Target | None = None,
        *,
        wide: bool = False,
    ) -> None:
        """Add a line."""
        self.items.append(Line(label, text, tone, place, wide))

    def add_table(self, table: Table) -> None:
        """Add a table."""
        self.items.append(table)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that the inspector shows about one thing."""

    title: str
    sections: tuple[Section, ...]

    @property
    def items(self) -> Iterator[Line | Table]:
        """The lines and tables of all sections."""
        for section in self.sections:
            yield from section.items

    @property
    def lines(self) -> Iterator[Line]:
        """The lines of all sections, and the rows of their tables as lines."""
        for item in self.items:
            if isinstance(item, Line):
                yield item
                continue
            yield Line("", "  ".join(column.heading for column in item.columns), Tone.DIM)
            for row in item.rows:
                texts = (span.text.strip() for span in item.spans(row))
                yield Line("", "  ".join(filter(None, texts)))

    @property
    def text(self) -> str:
        """The sheet as plain text, for copying."""
        lines = [f"{line.label:<12}{line.text}".rstrip() for line in self.lines]
        return "\n".join([self.title, *lines])


def document_name(projection: Projection[Any], key: str, names: Names) -> str:
    """The name of a document: an account's name, or else its key."""
    is_account = projection.name == ACCOUNTS.name or key in names.accounts
    # A catalog can have the key of an account as its name.
    is_catalog = projection.name == CATALOGS.name
    return names.of(key) if is_account and not is_catalog else screen_text(key, 60)


def document_title(projection: Projection[Any], key: str, names: Names) -> str:
    """The kind and the name of a document."""
    noun = projection.key_noun
    return f"{noun[:1].upper()}{noun[1:]} {document_name(projection, key, names)}"


@dataclass(frozen=True, slots=True)
class Formatter:
    """Formats the texts of sheets.

    `names` has the accounts' names, `now` is the time that ages count back from (unix seconds;
    during time travel that of the moment), `reveal` shows secrets, and `keymap` has the keys for
    hints.
    """

    names: Names
    now: float
    reveal: bool = False
    keymap: Keymap = AS_DECLARED

    def account(self, key: str) -> str:
        """An account's name and key, or the key alone if it has no name."""
        name, shown = self.names.of(key), screen_text(key, 100)
        return shown if "…" in name or name == shown else f"{name}  {shown}"

    def briefly(self, key: str) -> str:
        """An account's name and its shortened key, or the key alone if it has no name."""
        name, shown = self.names.of(key), short_key(key)
        return name if shown in name else f"{name}  {shown}"

    def field(self, name: str, value: str) -> str:
        """The value of a named field, over several lines if it has them."""
        if self.reveal or not value:
            return safe_block(value, 12, 2_000)
        return MASK if is_secret_name(name) else safe_block(mask_text(value), 12, 2_000)
