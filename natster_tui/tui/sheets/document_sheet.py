"""The inspector's page of a document of any projection, made from its fields.

A `KeyedProjection` declares its document as a pydantic model: a field's title, if it has one, is
its label. Lists become tables, and times and accounts are shown as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.fields import FieldInfo
from rich.cells import cell_len

from natster_tui.projections.account import AccountState
from natster_tui.projections.api import Projection
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.documents import is_time
from natster_tui.projections.excerpt import excerpt_of
from natster_tui.projections.keyed import KeyedProjection
from natster_tui.projections.projection_sentences import OmittedEntries, compact_json
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.text.masking import mask_json, screen_text
from natster_tui.text.strict_json import Json
from natster_tui.tui.places.place import DocumentPlace, account_place
from natster_tui.tui.sheets.account_sheet import AnyFold
from natster_tui.tui.sheets.shares import (
    History,
    account_span,
    catalog_span,
    history_section,
    since,
)
from natster_tui.tui.sheets.sheet import (
    Column,
    Formatter,
    Section,
    Sheet,
    Span,
    Table,
    Tone,
    document_title,
)

_ENTRIES_SHOWN = 1_000
"""Entries shown of a list; the JSON that `y` copies has all of them."""
_LABEL = 11


class _Known:
    """Formats values, with links to the accounts and catalogs that they name."""

    def __init__(
        self,
        accounts: Mapping[str, AccountState],
        catalogs: Mapping[str, CatalogState],
        formatter: Formatter,
    ) -> None:
        self._accounts = accounts
        self._catalogs = catalogs
        self._manner = formatter

    def span(self, name: str, value: Json) -> Span:
        """A field's value, on one line."""
        if isinstance(value, str) and value in self._accounts:
            return account_span(value, self._manner)
        if isinstance(value, str) and "catalog" in name and value in self._catalogs:
            return catalog_span(value)
        if is_time(name, value):
            return Span(since(int(value), self._manner))  # type: ignore[arg-type]
        if isinstance(value, bool):
            return Span("yes" if value else "no")
        if isinstance(value, int | float):
            return Span(f"{value:,}")
        text = value if isinstance(value, str) else compact_json(value)
        return Span(screen_text(text, 400))


def document_sheet(
    key: str,
    fold: AnyFold,
    formatter: Formatter,
    history: History,
    accounts: Mapping[str, AccountState],
    catalogs: Mapping[str, CatalogState],
) -> Sheet:
    """A document's page: its key, its fields, and the events that made it."""
    projection = fold.projection
    noun = projection.key_noun
    facts, lists = Section(noun), Section("lists")
    known = _Known(accounts, catalogs, formatter)
    title = document_title(projection, key, formatter.names)
    place = account_place(key) if key in accounts else None
    if place is None and key in catalogs:
        place = DocumentPlace(CATALOGS.name, key)
    _add_fact(facts, noun, Span(screen_text(key, 100), place=place))
    state = fold.states.get(key)
    if state is None:
        facts.add("", f"there is none as of {fold.seq:,}", Tone.DIM)
        return Sheet(title, (facts,))
    document = excerpt_of(projection, key, state, _ENTRIES_SHOWN).document
    shown = document if formatter.reveal else mask_json(document)
    assert isinstance(shown, dict)
    for name, label in _labels(projection, shown):
        value = shown[name]
        if isinstance(value, list):
            _add_list(lists, name, label, value, known)
        elif isinstance(value, dict):
            _add_fact(facts, label, Span(""))
            for inner, item in value.items():
                span = known.span(inner, item)
                facts.add("", f"{screen_text(inner, 60)}: {span.text}", place=span.place)
        elif value != key:
            _add_fact(facts, label, known.span(name, value))
    return Sheet(title, (facts, lists, history_section(history, formatter)))


def _add_fact(facts: Section, label: str, span: Span) -> None:
    """Add a field; a label that is too long for its column is put before the value."""
    shown = screen_text(label, 60)
    if cell_len(shown) <= _LABEL:
        facts.add(shown, span.text, place=span.place)
    else:
        facts.add("", f"{shown}: {span.text}", place=span.place, wide=True)


def _labels(projection: Projection[Any], document: Mapping[str, Json]) -> Iterable[tuple[str, str]]:
    """The names of a document's fields, each with its label."""
    fields: Mapping[str, FieldInfo] = {}
    if isinstance(projection, KeyedProjection):
        fields = projection.model.model_fields
    for name in document:
        declared = fields.get(name)
        titled = None if declared is None else declared.title
        yield name, titled or name.replace("_", " ")


def _add_list(section: Section, name: str, label: str, entries: list[Any], known: _Known) -> None:
    """A list as a table: a column for each name in its entries, or one for the values."""
    left_out = 0
    if entries and isinstance(entries[-1], OmittedEntries):
        left_out = entries[-1].count
        entries = entries[:-1]
    rows = tuple(entries)
    section.add("", "")
    heading = f"{screen_text(label, 60)} ({len(rows) + left_out:,})"
    if rows and all(isinstance(row, dict) for row in rows):
        names = tuple(dict.fromkeys(inner for row in rows for inner in row))
        section.add("", heading, Tone.DIM, wide=True)
        columns = tuple(Column(screen_text(inner, 30)) for inner in names)

        def spans(row: Mapping[str, Json]) -> tuple[Span, ...]:
            return tuple(
                known.span(inner, row[inner]) if inner in row else Span("") for inner in names
            )

        section.add_table(Table(columns, rows, spans))
    else:
        section.add_table(Table((Column(heading),), rows, lambda value: (known.span(name, value),)))
    if left_out:
        section.add("", f"… {left_out:,} more", Tone.DIM, wide=True)
