"""A stored document as lines of JSON, secrets masked and long lists cut."""

from __future__ import annotations

from typing import Any

from natster_tui.projections.documents import read_document
from natster_tui.projections.projection_sentences import pretty_json
from natster_tui.text.masking import mask_json, screen_text

_ENTRIES_SHOWN = 20
"""Of each list: the document of a hub has an entry for every account."""


def document_lines(stored: bytes) -> list[str]:
    """The lines of a document; of a long list the first entries, and how many more there are."""
    document = read_document(stored)
    if document is None:
        return ["no JSON object"]
    shown, more = dict[str, Any](), list[str]()
    for name, value in document.items():
        shown[name] = value[:_ENTRIES_SHOWN] if isinstance(value, list) else value
        if isinstance(value, list) and len(value) > _ENTRIES_SHOWN:
            more.append(f"… {len(value) - _ENTRIES_SHOWN:,} more in {screen_text(name, 100)}")
    return [*pretty_json(mask_json(shown)).split("\n"), *more]
