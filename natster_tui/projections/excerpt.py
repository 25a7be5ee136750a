"""The part of a document that a screen can show: its cost depends on what is visible.

A hub's document has a list entry for nearly every account. Building, masking and encoding all of it
takes a tenth of a second or more, too long for each refresh of a screen.
"""

from __future__ import annotations

from dataclasses import dataclass

from natster_tui.errors import DocumentRefusedError
from natster_tui.projections.api import Projection, State
from natster_tui.projections.documents import Document, encode_document
from natster_tui.projections.projection_sentences import OmittedEntries
from natster_tui.projections.registering.raised import described_error
from natster_tui.text.safe_text import safe_text


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A document with the first entries of each list, and an `OmittedEntries` for the others.

    `size` says how large the whole document is: in bytes, or in entries if some are left out.
    """

    document: Document
    size: str


def excerpt_of(projection: Projection[State], key: str, state: State, entries: int) -> Excerpt:
    """The document of a state with at most so many entries of each of its lists.

    Raises DocumentRefusedError for one that a rule made and that cannot be stored.
    """
    lists, lengths = {}, {}
    for name, each in projection.pageable.items():
        whole = each.of(state)
        lengths[name] = len(whole)
        names, values = each.columns(whole)
        lists[name] = each.as_json(names[:entries], values[:entries])
    document = projection.document(key, state, lists)
    listed = 0
    cut = {}
    for name, value in document.items():
        if isinstance(value, list):
            length = lengths.get(name, len(value))
            listed += length
            if length > entries:
                cut[name] = [*value[:entries], OmittedEntries(length - entries)]
    if cut:
        return Excerpt(document | cut, f"{listed:,} entries")
    try:
        return Excerpt(document, f"{len(encode_document(document)):,} bytes")
    except (TypeError, ValueError) as error:
        raise DocumentRefusedError(
            f"the document of {projection.key_noun} {safe_text(key, 100)} cannot be stored: it is "
            f"no JSON: {described_error(error)}"
        ) from error
