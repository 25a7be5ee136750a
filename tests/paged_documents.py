"""Putting documents together from a bucket's entries, as any client could.

Knows nothing of the program: what it says is held against what the program stores.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

PAGED_FROM = 256 * 1024
PAGE_LENGTH = 1_000
PAGE = re.compile(r"([A-Za-z0-9_=-]+)/(out_shares|in_shares|shared_with)/(0|[1-9][0-9]*)")


def whole_documents(entries: Mapping[str, bytes]) -> dict[str, bytes]:
    """Each document by its key, as it would be in one piece.

    Every page must be named, none may be missing, all but the last are full, and exactly the
    documents of a size are paged. What is no JSON object is left as it is.
    """
    pages: dict[str, dict[tuple[str, int], bytes]] = {}
    documents: dict[str, bytes] = {}
    for entry_key, entry in entries.items():
        if page := PAGE.fullmatch(entry_key):
            pages.setdefault(page[1], {})[page[2], int(page[3])] = entry
        else:
            documents[entry_key] = entry
    for key, main in documents.items():
        own = pages.pop(key, {})
        documents[key] = whole_document(main, own)
        assert own == {}, f"pages of {key} that it does not name"
    assert pages == {}, "pages without their document"
    return documents


def whole_document(main: bytes, pages: dict[tuple[str, int], bytes]) -> bytes:
    """One document; the pages that it names are taken out of `pages`."""
    counts = _page_counts(main)
    if not counts:
        assert len(main) < PAGED_FROM, "a large document in one piece"
        return main
    document = json.loads(main)
    for name, count in counts.items():
        lists = [json.loads(pages.pop((name, number))) for number in range(count)]
        assert all(len(page) == PAGE_LENGTH for page in lists[:-1])
        assert all(lists), "an empty page"
        document[name] = [entry for page in lists for entry in page]
    whole = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(whole) >= PAGED_FROM, "a small document in pages"
    return whole


def pages_named(main: bytes) -> list[tuple[str, int]]:
    """List and number of every page that a main entry names."""
    return [(name, number) for name, count in _page_counts(main).items() for number in range(count)]


def _page_counts(main: bytes) -> dict[str, int]:
    try:
        document = json.loads(main)
    except ValueError:
        return {}
    return {
        name: value["pages"]
        for name, value in (document.items() if isinstance(document, dict) else ())
        if isinstance(value, dict) and value.keys() == {"pages"}
    }
