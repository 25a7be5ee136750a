"""A row as JSON on one line, for copying: events and documents, secrets masked."""

from __future__ import annotations

from natster_tui.domain.documents import read_document
from natster_tui.domain.events import Record
from natster_tui.domain.log_lines import encode_line
from natster_tui.domain.masking import mask_json
from natster_tui.domain.presentation import compact_json, masked_payload
from natster_tui.tui.view import View


def document_json(view: View, projection: str, key: str) -> str:
    """A document as the panes show it; empty if there is none."""
    stored = view.fold(projection).document(key)
    return "" if stored is None else compact_json(mask_json(read_document(stored)))


def event_json(record: Record) -> str:
    """An event in the form that `export` writes, its payload masked."""
    return encode_line(record, masked_payload(record))
