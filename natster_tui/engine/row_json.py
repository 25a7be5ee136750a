"""Rows as JSON on one line, for copying; secrets are masked unless they are revealed."""

from __future__ import annotations

from typing import Any

from natster_tui.engine.log.masked_export import masked_value
from natster_tui.events.event import Record
from natster_tui.events.log.lines import line_value
from natster_tui.projections.documents import read_document
from natster_tui.projections.projection_sentences import compact_json
from natster_tui.text.masking import mask_json
from natster_tui.text.strict_json import json_line


def document_json(stored: bytes, *, reveal: bool = False) -> str:
    """A document, as the panes show it."""
    document = read_document(stored)
    return compact_json(document if reveal else mask_json(document))


def event_json(record: Record, *, reveal: bool = False) -> str:
    """An event in the form that `export --open` writes, with an opened payload."""
    return json_line(event_value(record, reveal=reveal))


def event_value(record: Record, *, reveal: bool = False) -> dict[str, Any]:
    """The same as a dict."""
    if not reveal:
        return masked_value(record)
    opened = record.seal is not None and record.seal.unopened is None
    return line_value(record, record.payload if opened else None)
