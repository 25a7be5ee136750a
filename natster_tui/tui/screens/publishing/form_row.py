"""One row of the form: a label and a field."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Label

from natster_tui.events.filter.filter_field import Values
from natster_tui.tui.keys.dialogs import PUBLISH_FIELD
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.widgets.text_field import Field


class FormField(Field):
    """A field whose Enter goes on to the next one. `values` are what it may name."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PUBLISH_FIELD)]

    def __init__(self, value: str = "", values: Values = Values.ANY, **options: Any) -> None:
        super().__init__(value, compact=True, select_on_focus=False, **options)
        self.values = values


class FormRow(Horizontal):
    """A label and a field; rows that a kind does not use are hidden."""

    DEFAULT_CSS = """
    FormRow {
        height: 1;
        & > Label { width: 20; color: $text-muted; }
        & > Field { width: 1fr; background: $boost; }
        & > Select { width: 1fr; }
    }
    """

    def __init__(self, label: str, field: Any) -> None:
        super().__init__(Label(label), field)
