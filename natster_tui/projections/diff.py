"""The difference between two sets of documents, key by key and field by field.

Dry runs, rebuilds, verifying, and drift of another program's projections all use it. Stored
entries are compared one by one, but the result has whole documents, so callers need not know which
of them are stored in pages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from natster_tui.projections.api import Projection
from natster_tui.projections.documents import Document, encode_document, is_too_deep, read_document
from natster_tui.projections.paging import assembled, document_key
from natster_tui.text.counting import counted
from natster_tui.text.masking import is_secret_name, mask_json

Bytes = Mapping[str, bytes]

Kind = Literal["added", "changed", "removed"]
"""What must be done to a stored document so that it matches the log."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: its path, and its JSON value before and after (None if it did not exist).

    `secret` says that the field, or one around it, is named like a secret; differences inside such
    a field are not listed.
    """

    path: str
    before: Any
    after: Any
    secret: bool = False


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key: its document before (stored) and after (as the log says); None for none.

    `problem` says why the stored pages make no document, `unsealed` that it is stored in clear
    although it should be sealed.
    """

    key: str
    before: bytes | None
    after: bytes | None
    problem: str = ""
    unsealed: bool = False

    @property
    def kind(self) -> Kind:
        """`added`, `changed` or `removed`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    def fields(self) -> tuple[FieldChange, ...]:
        """The fields that differ, or one entry that says that the stored value is no document."""
        if self.problem:
            return (FieldChange("(stored value)", self.problem, "a document"),)
        sealing = (FieldChange("(form)", "not sealed", "sealed"),) if self.unsealed else ()
        return (*field_changes(self.before, self.after), *sealing) or (
            FieldChange("(form)", "other pages, or other spacing on them", "as the log gives it"),
        )


@dataclass(frozen=True, slots=True)
class Diff:
    """All keys that differ, in order of their names, and how many were compared."""

    changes: tuple[KeyChange, ...]
    keys: int

    def __bool__(self) -> bool:
        return bool(self.changes)

    def count(self, kind: str) -> int:
        """How many keys were `added`, `changed` or `removed`."""
        return sum(1 for change in self.changes if change.kind == kind)

    @property
    def summary(self) -> str:
        """One line: `2 keys added, 1 changed, 0 removed`."""
        if not self.changes:
            return "no differences"
        return (
            f"{self.count('added'):,} added, {self.count('changed'):,} changed, "
            f"{self.count('removed'):,} removed"
        )


def diff_documents(
    stored: Bytes, expected: Bytes, same: Callable[[bytes, bytes], bool] | None = None
) -> Diff:
    """What must change for `stored` to become `expected`, both whole documents by key.

    `same` decides whether two documents are equal; by default every byte must be.
    """
    changes = []
    for key, after in expected.items():
        before = stored.get(key)
        if before != after and (before is None or same is None or not same(before, after)):
            changes.append(KeyChange(key, before, after))
    changes += [
        KeyChange(key, before, None) for key, before in stored.items() if key not in expected
    ]
    changes.sort(key=lambda change: change.key)
    return Diff(tuple(changes), len(stored.keys() | expected.keys()))


def diff_entries(
    projection: Projection[Any], stored: Bytes, expected: Bytes, unsealed: Collection[str] = ()
) -> Diff:
    """What must change for the entries `stored` to become `expected`, byte for byte.

    The entries in `unsealed` must change in any case.
    """
    differing = {
        document_key(key)
        for key, after in expected.items()
        if stored.get(key) != after or key in unsealed
    }
    differing.update(document_key(key) for key in stored if key not in expected)
    keys = len({document_key(key) for key in stored.keys() | expected.keys()})
    if not differing:
        return Diff((), keys)
    readable = {document_key(key) for key in unsealed}
    before, after = _paged(stored, differing), _paged(expected, differing)
    changes = []
    for key in sorted(differing):
        old, problem = _whole(projection, key, stored, before.get(key))
        new, _ = _whole(projection, key, expected, after.get(key))
        changes.append(KeyChange(key, old, new, problem, key in readable))
    return Diff(tuple(changes), keys)


def _paged(entries: Bytes, keys: Collection[str]) -> dict[str, dict[str, bytes]]:
    """The entries of the documents among `keys` that have pages."""
    paged: dict[str, dict[str, bytes]] = {}
    for entry_key, entry in entries.items():
        key = document_key(entry_key)
        if key != entry_key and key in keys:
            paged.setdefault(key, {})[entry_key] = entry
    return paged


class ChangedEntries:
    """Entries to write, or None to remove one; iterating yields them document by document.

    Nearly all documents have one entry, which is kept without a dict.
    """

    def __init__(self) -> None:
        self._of: dict[str, bytes | dict[str, bytes | None] | None] = {}

    def add(self, entry_key: str, entry: bytes | None) -> None:
        """Add an entry after the others of its document."""
        key = document_key(entry_key)
        if key == entry_key and key not in self._of:
            self._of[key] = entry
            return
        known = self._of.setdefault(key, {})
        if not isinstance(known, dict):
            known = self._of[key] = {key: known}
        known[entry_key] = entry

    def __iter__(self) -> Iterator[Mapping[str, bytes | None]]:
        for key, entry in self._of.items():
            yield entry if isinstance(entry, dict) else {key: entry}


def changed_entries(
    stored: Bytes, expected: Bytes, unsealed: Collection[str] = ()
) -> ChangedEntries:
    """The entries to write or remove so that `expected` is stored.

    The entries in `unsealed` are written in any case.
    """
    changes = ChangedEntries()
    for entry_key, after in expected.items():
        if stored.get(entry_key) != after or entry_key in unsealed:
            changes.add(entry_key, after)
    for entry_key in stored:
        if entry_key not in expected:
            changes.add(entry_key, None)
    return changes


def _whole(
    projection: Projection[Any], key: str, entries: Bytes, pages: Bytes | None
) -> tuple[bytes | None, str]:
    """The document of `key` in one piece, or why its entries are not one."""
    main = entries.get(key)
    if pages is None:
        if main is None:
            return None, ""
        if b'"pages"' not in main and main:
            # The spelling is kept: it may be all that is wrong.
            return main, ""
    parts = {} if pages is None else dict(pages)
    if main is not None:
        parts[key] = main
    try:
        document = assembled(projection, key, parts)
        if is_too_deep(document):
            return main or b"", "it is nested too deeply"
        return encode_document(document), ""
    except ValueError as error:
        return main or b"", str(error)


def _comparable(stored: bytes) -> Document | None:
    document = read_document(stored)
    return None if document is None or is_too_deep(document) else document


def same_json(one: bytes, other: bytes) -> bool:
    """Whether two documents are equal as JSON with the same key order; spacing may differ."""
    left, right = _comparable(one), _comparable(other)
    return left is not None and right is not None and json.dumps(left) == json.dumps(right)


def field_changes(before: bytes | None, after: bytes | None) -> tuple[FieldChange, ...]:
    """The fields in which two documents differ, in the order of the newer one."""
    old = None if before is None else _comparable(before)
    new = None if after is None else _comparable(after)
    if before is not None and old is None:
        # The bytes are not shown, because secrets in them cannot be recognised.
        size = f"{len(before):,} bytes that are no document"
        return (FieldChange("(stored value)", size, "a document"),)
    changes = document_changes(old, new)
    if not changes and before is not None and after is not None and before != after:
        return (FieldChange("(form)", "other spacing or key order", "as the log gives it"),)
    return changes


def document_changes(before: Document | None, after: Document | None) -> tuple[FieldChange, ...]:
    """The fields in which two documents, None for none, differ; in the order of the newer one.

    List entries that are in both may be left out of both.
    """
    changes: list[FieldChange] = []
    _compare("", {} if before is None else before, {} if after is None else after, changes)
    return tuple(changes)


def _compare(path: str, before: Any, after: Any, changes: list[FieldChange]) -> None:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*after, *(name for name in before if name not in after)]:
            inner = f"{path}.{name}" if path else str(name)
            old, new = before.get(name), after.get(name)
            if old is new:
                continue
            if not is_secret_name(name):
                _compare(inner, old, new, changes)
            elif old != new or type(old) is not type(new):
                changes.append(FieldChange(inner, old, new, secret=True))
    elif isinstance(before, list | None) and isinstance(after, list | None):
        _compare_lists(path, before or [], after or [], changes)
        if not before and not after and before != after:
            changes.append(FieldChange(path, before, after))
    elif before != after or type(before) is not type(after):
        # To Python 1, 1.0 and true are equal.
        changes.append(FieldChange(path, before, after))


def _compare_lists(
    path: str, before: list[Any], after: list[Any], changes: list[FieldChange]
) -> None:
    """Compare lists by entry, not by index: entries are distinct."""
    old = {_identity(entry): entry for entry in before}
    new = {_identity(entry): entry for entry in after}
    start = len(changes)
    for name, entry in new.items():
        if name not in old:
            changes.append(FieldChange(f"{path}[{_label(entry)}]", None, entry))
        else:
            _compare(f"{path}[{_label(entry)}]", old[name], entry, changes)
    changes.extend(
        FieldChange(f"{path}[{_label(entry)}]", entry, None)
        for name, entry in old.items()
        if name not in new
    )
    if len(changes) == start and before != after:
        changes.append(_reordered(path, before, after))


def _reordered(path: str, before: list[Any], after: list[Any]) -> FieldChange:
    """The change of a list that holds the same entries in another order, or one of them twice."""
    held = counted(len(before), "item")
    if len(before) == len(after):
        return FieldChange(f"{path}(order)", held, "the same in another order")
    return FieldChange(f"{path}(repeated)", held, counted(len(after), "item"))


def _identity(entry: Any) -> str:
    """What identifies a list entry: catalog and account for a share, else its JSON."""
    if isinstance(entry, dict) and "catalog" in entry and "account" in entry:
        return f"{entry['catalog']} {entry['account']}"
    return entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)


def _label(entry: Any) -> str:
    """A list entry as a part of a path, masked: in a path, secrets cannot be recognised."""
    return _identity(mask_json(entry))
