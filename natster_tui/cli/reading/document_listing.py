"""The list of a projection's documents: the key, then a column for each field.

The fields are those of the pydantic model. If a projection has no model, the whole document is in
one column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from natster_tui.cli.line_format import time_and_age
from natster_tui.cli.outputs.lists import ListedDocument, ListedDocuments
from natster_tui.cli.reading.document_commands import is_of_accounts
from natster_tui.cli.reading.listing import Found, Listing, States, passes
from natster_tui.cli.reading.table import Table
from natster_tui.events.account_keys import account_key_problem
from natster_tui.projections.account import AccountState
from natster_tui.projections.api import Projection
from natster_tui.projections.documents import is_time
from natster_tui.projections.keyed import KeyedProjection
from natster_tui.projections.projection_sentences import compact_json
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.text.masking import mask_json, mask_text, screen_text
from natster_tui.text.strict_json import Json

_NAME = 40
_VALUE = 60
_DOCUMENT = 200


def documents_listing(projection: Projection[Any]) -> Listing:
    """The list of a projection's documents, by name if the keys are accounts."""
    of_accounts = is_of_accounts(projection)

    def find(at: int, states: States, wanted: str) -> Found:
        accounts = states[ACCOUNTS.name] if of_accounts else {}
        found = _documents(projection, states[projection.name], accounts, wanted)
        output = ListedDocuments(at=at, kind=projection.name, documents=found)
        return Found(output, _table(projection, found, of_accounts=of_accounts))

    projections = (ACCOUNTS, projection) if of_accounts else (projection,)
    return Listing(f"documents of {projection.name}", projections, find)


def _documents(
    projection: Projection[Any],
    states: Mapping[str, Any],
    accounts: Mapping[str, AccountState],
    wanted: str,
) -> tuple[ListedDocument, ...]:
    """The documents that pass the filter, sorted by name, then by key.

    The name of a catalog is its key.
    """
    of_accounts = is_of_accounts(projection)
    found = []
    for key, state in states.items():
        account = accounts.get(key)
        name = "" if account is None else account.account_name or ""
        if not passes(wanted, key, name if of_accounts else key):
            continue
        document = mask_json(projection.whole(key, state))
        assert isinstance(document, dict)
        found.append(ListedDocument(key=mask_text(key), name=mask_text(name), document=document))
    found.sort(key=lambda each: (each.name == "", each.name.lower(), each.key.lower(), each.key))
    return tuple(found)


def _table(
    projection: Projection[Any], found: Sequence[ListedDocument], *, of_accounts: bool
) -> Table:
    fields = projection.model.model_fields if isinstance(projection, KeyedProjection) else {}
    labels = [field.title or name.replace("_", " ") for name, field in fields.items()]
    begin = ("NAME", "KEY") if of_accounts else (screen_text(projection.key_noun, 24).upper(),)
    headings = (*begin, *(screen_text(label, 24).upper() for label in labels or ["document"]))
    rows = []
    for each in found:
        key = screen_text(each.key, 100)
        called = (screen_text(each.name, _NAME) or "-", key) if of_accounts else (key,)
        cells = [_cell(name, each.document.get(name)) for name in fields]
        rows.append((*called, *(cells or [screen_text(compact_json(each.document), _DOCUMENT)])))
    first = len(begin)
    values = {
        at: [each.document.get(name) for each in found] for at, name in enumerate(fields, first)
    }
    numbers = {at for at, column in values.items() if any(map(_is_number, column))}
    keys = {at for at, column in values.items() if any(map(_is_key, column))}
    times = {at for at, name in enumerate(fields, first) if _has_times(name, values[at])}
    return Table(headings, rows, frozenset({first - 1, *keys}), frozenset(numbers - times))


def _cell(name: str, value: Json) -> str:
    """A field's value as a cell; for a list, the number of its entries."""
    if value is None:
        return ""
    if isinstance(value, int) and is_time(name, value):
        return time_and_age(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return f"{len(value):,}"
    if isinstance(value, int | float):
        return f"{value:,}"
    return screen_text(value if isinstance(value, str) else compact_json(value), _VALUE)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float | list) and not isinstance(value, bool)


def _is_key(value: Json) -> bool:
    return isinstance(value, str) and account_key_problem(value) is None


def _has_times(name: str, column: Sequence[Json]) -> bool:
    return any(is_time(name, value) for value in column)
