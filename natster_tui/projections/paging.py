"""Storing large documents in pages: from a document to the entries of a bucket, and back.

An account that shares with every other account has a document that is too large for one message.
Such a document is stored as a main entry, under the document's own key, and as pages, each in its
own entry: `KEY/out_shares/0`, `KEY/out_shares/1` and so on, so that one more share rewrites one
page.

The stored form depends on the state alone, not on the server, the history or the batch:
projecting live, rebuilding and verifying all produce the same bytes.

- A document is paged if the whole of it would be `PAGED_FROM` bytes or more. When a document
  crosses that size in either direction, all of it is rewritten. A projection without pageable lists
  stores each document whole, whatever its size.
- In a paged document every list that its projection declares (`Projection.pageable`) is stored in
  pages, short lists and long ones alike. A page is a JSON list of `PAGE_LENGTH` entries; the last
  page has at least one. Page N (from 0, without leading zeros) holds the entries from
  N x `PAGE_LENGTH` on. The pages in order are the list.
- The main entry is the document with `{"pages":COUNT}` in the place of each such list; an empty
  list has `{"pages":0}`, and no page.
- Appending changes the last page, and the main entry if that page is new; an import's time changes
  the page that its entry is on. Removing an entry moves all later ones: every page from there on is
  rewritten, and the last one is removed if it becomes empty.
- Keys of documents are tokens without a `/`, so pages and documents cannot be confused
  (`document_key`).
- Everything that is not declared pageable stays in the main entry: `contested_by`, names, the web
  context. If that alone, or one page, is too large for the server, the projector stops before the
  event.

All entries of a document that change are written in one atomic batch, pages first, then the main
entry, then removals; only a rebuild may cut a document for which no batch is large enough, and
its checkpoint says so. A reader that fetches entry by entry reads the checkpoint first: the entries
then make one document if none of them has a higher revision than that checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from natster_tui.projections.api import PageableList, Projection, State
from natster_tui.projections.documents import Document, encode_document, read_document, read_list
from natster_tui.projections.fast.document_encoder import DocumentEncoder
from natster_tui.text.safe_text import safe_text

PAGED_FROM = 256 * 1024
"""A document of this many bytes or more is stored in pages."""

PAGE_LENGTH = 1_000
"""List entries on a page."""

_PAGES = "pages"
_SEPARATOR = "/"

Stored = TypeVar("Stored")


class PagesError(ValueError):
    """The entries of a key are not one document; the message says which entry is wrong."""


def page_key(key: str, name: str, number: int) -> str:
    """The entry that holds page `number` of the list `name` of the document `key`."""
    return f"{key}{_SEPARATOR}{name}{_SEPARATOR}{number}"


def document_key(entry_key: str) -> str:
    """The key of the document that an entry belongs to; it is the entry's own unless a page's."""
    return entry_key.partition(_SEPARATOR)[0] if _SEPARATOR in entry_key else entry_key


def by_document(entries: Mapping[str, Stored]) -> Iterator[tuple[str, dict[str, Stored]]]:
    """The entries of each document, under the document's key."""
    pages: dict[str, dict[str, Stored]] = {}
    for entry_key, entry in entries.items():
        if _SEPARATOR in entry_key:
            pages.setdefault(document_key(entry_key), {})[entry_key] = entry
    for key, entry in entries.items():
        if _SEPARATOR not in key:
            yield key, {key: entry, **pages.pop(key, {})}
    yield from pages.items()


def entries_of(projection: Projection[State], key: str, state: State) -> dict[str, bytes]:
    """The entries that a document is stored in."""
    whole = projection.encode(key, state)
    if not projection.pageable or len(whole) < PAGED_FROM:
        return {key: whole}
    form = _form_of(projection, key, state, {})
    return {**form.written, key: form.main}


def assembled(projection: Projection[Any], key: str, entries: Mapping[str, bytes]) -> Document:
    """The whole document that the entries of a key hold.

    Raises PagesError when a page is missing, too many, too short, or not a page, and
    ValueError when the main entry is no document at all.
    """
    left = dict(entries)
    main = left.pop(key, None)
    if main is None:
        raise PagesError("it has pages, but no main entry that names them")
    document = read_document(main)
    if document is None:
        raise ValueError("not a JSON object")
    for name in projection.pageable:
        count = _page_count(name, document.get(name))
        if count is None:
            continue
        document[name] = whole = []
        for number in range(count):
            entry_key = page_key(key, name, number)
            whole += _page(entry_key, left.pop(entry_key, None), is_last=number == count - 1)
    if left:
        raise PagesError(f"the entry {safe_text(min(left), 200)} is not a page that it names")
    return document


def _page_count(name: str, value: object) -> int | None:
    """How many pages a list has; None if the list itself is in the document."""
    if not isinstance(value, dict):
        return None
    count = value.get(_PAGES)
    if len(value) != 1 or type(count) is not int or count < 0:
        raise PagesError(f"{name} is neither a list nor a number of pages")
    return count


def _page(entry_key: str, stored: bytes | None, *, is_last: bool) -> list[Any]:
    if stored is None:
        raise PagesError(f"the page {safe_text(entry_key, 200)} is missing")
    page = read_list(stored)
    if page is None:
        raise PagesError(f"the page {safe_text(entry_key, 200)} is not a JSON list")
    if not (1 if is_last else PAGE_LENGTH) <= len(page) <= PAGE_LENGTH:
        raise PagesError(
            f"the page {safe_text(entry_key, 200)} has {len(page):,} entries: pages have "
            f"{PAGE_LENGTH:,}, the last one from 1 on"
        )
    return page


# -- a page at a time --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Page:
    """A page as it was last written: its part of the state, and its size in bytes."""

    names: Sequence[Any]
    values: Sequence[Any]
    size: int


@dataclass(slots=True)
class _Form:
    """The stored form of a document.

    `pages` has the content of each page, None for one that must be rewritten in any case; `written`
    has the pages that are new or have changed; `whole_size` is the size in bytes of the whole
    document.
    """

    main: bytes
    pages: dict[str, _Page | None]
    written: dict[str, bytes]
    whole_size: int


def _form_of(
    projection: Projection[State], key: str, state: State, before: Mapping[str, _Page | None]
) -> _Form:
    """The paged form of a document; unchanged pages are not encoded again."""
    pages: dict[str, _Page | None] = {}
    written: dict[str, bytes] = {}
    counts = {}
    size = 0
    for name, each in projection.pageable.items():
        sizes = []
        for number, (names, values) in enumerate(_chunks(*each.columns(each.of(state)))):
            entry_key = page_key(key, name, number)
            page = before.get(entry_key)
            if page is None or page.names != names or page.values != values:
                encoded = _encode_page(each, names, values)
                page = _Page(names, values, len(encoded))
                written[entry_key] = encoded
            pages[entry_key] = page
            sizes.append(page.size)
        counts[name] = {_PAGES: len(sizes)}
        # One list has one pair of brackets, and commas where the pages meet.
        size += sum(sizes) - len(sizes) + 1 if sizes else len("[]")
        size -= len(encode_document(counts[name]))
    main = encode_document(projection.document(key, state, counts))
    return _Form(main, pages, written, len(main) + size)


def _chunks(
    names: Sequence[Any], values: Sequence[Any]
) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    for at in range(0, len(names), PAGE_LENGTH):
        yield names[at : at + PAGE_LENGTH], values[at : at + PAGE_LENGTH]


def _encode_page(each: PageableList[Any], names: Sequence[Any], values: Sequence[Any]) -> bytes:
    return encode_document(each.as_json(names, values))


class DocumentPager(Generic[State]):
    """The entries to write to a bucket when documents change: only the pages that changed.

    It remembers the content of each page of each paged document. To find the changed pages, it
    compares the lists by identity first, which costs a fraction of encoding them. No rule of the
    fold has to report what it touched.

    After a failed write it no longer matches the bucket: make a new one.
    """

    def __init__(self, projection: Projection[State]) -> None:
        self._projection = projection
        self._encoder = DocumentEncoder(projection)
        self._forms: dict[str, _Form] = {}

    def found(self, key: str, state: State, entries: Mapping[str, bytes]) -> None:
        """Note the stored entries of a document; needed if there is more than one.

        Pages with other bytes than ours are rewritten when the document changes.
        """
        if not self._projection.pageable or (len(entries) == 1 and len(entries[key]) < PAGED_FROM):
            return
        form = _form_of(self._projection, key, state, {})
        written = form.written
        form.pages = {
            entry_key: form.pages.get(entry_key) if stored == written.get(entry_key) else None
            for entry_key, stored in entries.items()
            if entry_key != key
        }
        form.main, form.written = entries[key], {}
        self._forms[key] = form

    def changes(self, key: str, state: State | None) -> dict[str, bytes | None]:
        """The entries to write, None for one to remove, so that the bucket holds this state."""
        before = self._forms.get(key)
        if state is None:
            self._forms.pop(key, None)
            return dict.fromkeys([key] if before is None else [key, *before.pages])
        if before is None:
            whole = self._encoder.encode(key, state)
            if not self._projection.pageable or len(whole) < PAGED_FROM:
                return {key: whole}
        form = _form_of(self._projection, key, state, {} if before is None else before.pages)
        changes: dict[str, bytes | None] = {}
        if form.whole_size < PAGED_FROM:
            changes[key] = self._projection.encode(key, state)
            self._forms.pop(key)
            form.pages = {}
        else:
            changes.update(form.written)
            if before is None or form.main != before.main:
                changes[key] = form.main
            form.written = {}
            self._forms[key] = form
        if before is not None:
            changes.update((gone, None) for gone in before.pages if gone not in form.pages)
        return changes

    def room(self, limit: int) -> int:
        """How many entries to gather before they are written, when a batch takes `limit`.

        The rest of the batch is for one more event, which may change two documents.
        """
        return limit - 2 * max(map(self.at_most, self._forms), default=1)

    def at_most(self, key: str) -> int:
        """How many entries a change of a document may need; a few more when it becomes paged."""
        form = self._forms.get(key)
        return 1 if form is None else len(form.pages) + 2
