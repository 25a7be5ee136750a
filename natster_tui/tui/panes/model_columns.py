"""Default columns for a projection: one for each field of its documents.

The fields are those of the pydantic model, and the pane can be sorted by each. If a projection has
no model, the whole document is in one column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from natster_tui.events.times import age
from natster_tui.projections.api import Projection
from natster_tui.projections.documents import is_time
from natster_tui.projections.keyed import KeyedProjection
from natster_tui.projections.projection_sentences import Names, compact_json, short_key
from natster_tui.text.counting import short_count
from natster_tui.text.masking import MASK, is_secret_name, mask_json, screen_text
from natster_tui.tui.panes.columns import Column, DocumentColumns, DocumentRow, Sort
from natster_tui.tui.widgets.cells import Cell


def model_columns(projection: Projection[Any]) -> DocumentColumns[Any]:
    """The columns of a projection that declares none."""
    noun = projection.key_noun
    columns: list[Column[Any]] = [
        Column(noun, _key_cell, f"the {noun} that the document is about", noun, shrinks=True)
    ]
    sorts: list[Sort[Any]] = [Sort(noun, _by_what_is_shown, uses_names=True)]
    if isinstance(projection, KeyedProjection):
        for number, (name, field) in enumerate(projection.model.model_fields.items(), 1):
            label = screen_text(field.title or name.replace("_", " "), 24)
            meaning = screen_text(field.description or f"the document's {name}", 200)
            columns.append(
                Column(label, _field_cell(name), meaning, label, yields=100 - number, right=True)
            )
            sorts.append(Sort(label, _by_field(name)))
    else:
        columns.append(Column("fields", _fields_cell(projection), shrinks=True))
    name = projection.name.partition(".")[0].replace("_", " ").capitalize()
    return DocumentColumns(
        projection,
        # A dot in it would be taken for a class.
        id=f"documents-{projection.name.replace('.', '-')}",
        title=f"{name} documents" + (", tried: not stored" if projection.tried_from else ""),
        columns=tuple(columns),
        sorts=tuple(sorts),
        search_text=_search_text,
        search_hint=f"find by {noun}, or by the account's name",
        nothing=("", " no documents yet"),
    )


def _key_cell(row: DocumentRow[Any]) -> Cell:
    state = row.view.accounts.get(row.key)
    named = state is not None and state.account_name
    return row.main_cell(row.names.of(row.key) if named else short_key(row.key, 30), "strong")


def _by_what_is_shown(key: str, _state: Any, names: Names) -> str:
    """The name of an account that has one, else the key."""
    account = names.accounts.get(key)
    return ((account and account.account_name) or key).lower()


def _search_text(key: str, _state: Any) -> Iterable[str]:
    yield key


def _field_cell(name: str) -> Callable[[DocumentRow[Any]], Cell | None]:
    def cell(row: DocumentRow[Any]) -> Cell | None:
        value = getattr(row.state, name, None)
        if value is None:
            return None
        if is_secret_name(name):
            return Cell(MASK, 0, "dim")
        if isinstance(value, str):
            called = row.names.of(value) if value in row.view.accounts else screen_text(value, 40)
            return Cell(called, 0, "dim" if value == row.key else "")
        if is_time(name, value):
            return Cell(age(row.view.shown_at - value), 0, "dim")
        if isinstance(value, bool):
            return Cell("yes" if value else "no")
        if isinstance(value, int):
            return Cell(short_count(value) if value >= 0 else str(value), 0, "marked")
        if isinstance(value, list | tuple | dict | set | frozenset):
            return Cell(short_count(len(value)), 0, "accent")
        return Cell(screen_text(str(value), 40))

    return cell


def _by_field(name: str) -> Callable[[str, Any, Any], Any]:
    """A sort key for a field, for values of any types."""

    def by(_key: str, state: Any, _names: Any) -> Any:
        value = getattr(state, name, None)
        if value is None:
            return (0, 0)
        if isinstance(value, int | float):
            return (1, value)
        if isinstance(value, list | tuple | dict | set | frozenset):
            return (2, len(value))
        return (3, str(value).lower())

    return by


def _fields_cell(projection: Projection[Any]) -> Callable[[DocumentRow[Any]], Cell | None]:
    """A document on one line: its fields with their values, of lists the number of entries."""

    def cell(row: DocumentRow[Any]) -> Cell | None:
        if row.state is None:
            return None
        lengths = {name: len(each.of(row.state)) for name, each in projection.pageable.items()}
        document = projection.document(row.key, row.state, dict.fromkeys(lengths))
        masked = mask_json(document)
        assert isinstance(masked, dict)
        fields = []
        for name, value in masked.items():
            if value == row.key:
                continue  # the row begins with it
            count = lengths.get(name, len(value) if isinstance(value, list) else None)
            entries = "1 entry" if count == 1 else f"{count or 0:,} entries"
            shown = compact_json(value) if count is None else entries
            fields.append(f"{name} {shown}")
        return Cell(screen_text(" · ".join(fields), 200), 0, "dim")

    return cell
