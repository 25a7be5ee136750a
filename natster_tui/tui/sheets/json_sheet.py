"""The inspector's page of a document as JSON, parts of which can be folded."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from natster_tui.projections.excerpt import excerpt_of
from natster_tui.projections.projection_sentences import OmittedEntries, pretty_json
from natster_tui.text.masking import mask_json
from natster_tui.text.safe_text import safe_text
from natster_tui.text.strict_json import Json
from natster_tui.tui.sheets.account_sheet import AnyFold
from natster_tui.tui.sheets.sheet import Fold, Formatter, Section, Sheet, Tone, document_title

ENTRIES_SHOWN = 500
"""Entries shown of a list; `y` copies all of them."""
_SHORT = 160
"""The longest object or list, in characters, that is written on one line."""

Path = tuple[str | int, ...]


def json_sheet(key: str, fold: AnyFold, formatter: Formatter, folded: Collection[Path]) -> Sheet:
    """A document as JSON; `folded` are the parts of which only the size is shown."""
    title = f"{document_title(fold.projection, key, formatter.names)} as JSON"
    section, state = Section("document"), fold.states.get(key)
    if state is None:
        section.add("", f"there is none as of {fold.seq:,}", Tone.DIM)
        return Sheet(title, (section,))
    excerpt = excerpt_of(fold.projection, key, state, ENTRIES_SHOWN)
    shown = excerpt.document if formatter.reveal else mask_json(excerpt.document)
    hint = formatter.keymap.hint
    keys = f"{hint('inspector.follow')} folds · {hint('inspector.json')} shows the page"
    size = f"{excerpt.size}, as of {fold.seq:,} · {keys}"
    section.add("", size, Tone.DIM, wide=True)
    for depth, text, fold_at in _lines(shown, (), "", "", folded):
        section.add("", "  " * depth + text, place=fold_at, wide=True)
    return Sheet(title, (section,))


_Row = tuple[int, str, Fold | None]
"""The depth of a line, its text, and what Enter folds or unfolds there."""


def _lines(
    value: Json | OmittedEntries, path: Path, before: str, after: str, folded: Collection[Path]
) -> Iterator[_Row]:
    """The lines of a value; `before` and `after` are its name and the comma behind it."""
    depth = len(path)
    inner: list[tuple[str | int, str, Json]]
    if isinstance(value, dict):
        inner = [(name, f"{_quoted(name)}: ", item) for name, item in value.items()]
        opens, closes = "{", "}"
    elif isinstance(value, list):
        inner = [(index, "", item) for index, item in enumerate(value)]
        opens, closes = "[", "]"
    else:
        yield depth, f"{before}{pretty_json(value)}{after}", None
        return
    if not inner or _is_short(value):
        yield depth, f"{before}{_on_one_line(value)}{after}", None
        return
    if path in folded:
        count = _entries(value)
        yield depth, f"▸ {before}{opens} {count:,} {closes}{after}", Fold(path, is_folded=True)
        return
    yield depth, f"▾ {before}{opens}", Fold(path, is_folded=False)
    for number, (name, label, item) in enumerate(inner):
        comma = "," if number < len(inner) - 1 else ""
        yield from _lines(item, (*path, name), label, comma, folded)
    yield depth, f"{closes}{after}", None


def _entries(value: dict[str, Json] | list[Json]) -> int:
    last = value[-1] if isinstance(value, list) and value else None
    return len(value) - 1 + last.count if isinstance(last, OmittedEntries) else len(value)


def _is_short(value: dict[str, Json] | list[Json]) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return not any(isinstance(item, dict | list | OmittedEntries) for item in items) and (
        len(_on_one_line(value)) <= _SHORT
    )


def _on_one_line(value: dict[str, Json] | list[Json]) -> str:
    if isinstance(value, dict):
        fields = [f"{_quoted(name)}: {pretty_json(item)}" for name, item in value.items()]
        return "{" + ", ".join(fields) + "}"
    return "[" + ", ".join(pretty_json(item) for item in value) + "]"


def _quoted(name: str) -> str:
    return json.dumps(safe_text(name, 200), ensure_ascii=False)
