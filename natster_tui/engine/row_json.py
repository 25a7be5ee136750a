"""A row as JSON on one line, for copying: events and documents, secrets masked unless asked for."""

from __future__ import annotations

from natster_tui.engine.log.masked_export import masked_line
from natster_tui.events.event import Record
from natster_tui.events.log.lines import encode_line
from natster_tui.projections.documents import read_document
from natster_tui.projections.wording import compact_json
from natster_tui.text.masking import mask_json


def document_json(stored: bytes, *, reveal: bool = False) -> str:
    """A document as the panes show it."""
    document = read_document(stored)
    return compact_json(document if reveal else mask_json(document))


def event_json(record: Record, *, reveal: bool = False) -> str:
    """An event in the form that `export --open` writes: its payload is what was sealed."""
    if not reveal:
        return masked_line(record)
    opened = record.seal is not None and record.seal.unopened is None
    return encode_line(record, record.payload if opened else None)
