"""How another program's documents differ from the log, and which differences its rules explain.

The reference service follows other rules, so most of its documents differ from ours. Those
differences are counted. Documents that neither its rules nor the log explain are listed by key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from natster_tui.events.event import Record
from natster_tui.projections.diff import Diff, KeyChange, same_json
from natster_tui.projections.documents import Document, encode_document, is_too_deep, read_document
from natster_tui.projections.reference_service.accounts import ReferenceAccounts
from natster_tui.projections.reference_service.catalogs import ReferenceCatalogs


class Reference(Protocol):
    """The documents that the reference service may have stored of one projection."""

    def take(self, record: Record) -> None:
        """Fold the log's next message."""

    def has(self, key: str) -> bool:
        """Whether it stores a document of this key."""

    def touched(self, key: str) -> int:
        """The sequence of the last message that may have changed a document, 0 for none."""

    def nearest(self, key: str, stored: Document, ours: Document | None) -> Document:
        """The document nearest to `stored` among those that its rules and the log allow.

        Only for keys that it has. `ours` is the log's document by our rules.
        """


@dataclass(frozen=True, slots=True)
class Drift:
    """How stored documents differ from the log.

    `explained` counts the documents that differ only because of the reference service's rules, or
    because it has not updated them yet. `unexplained` has the others: the stored document, and the
    right one.
    """

    unexplained: Diff
    explained: int = 0

    def __bool__(self) -> bool:
        return bool(self.unexplained) or self.explained > 0

    @property
    def summary(self) -> str:
        """One line for people."""
        if not self:
            return "no differences"
        if not self.unexplained:
            return explained_sentence(self.explained)
        count = len(self.unexplained.changes)
        sentence = f"{count:,} key{' differs' if count == 1 else 's differ'}, unexplained"
        return f"{sentence}; {explained_sentence(self.explained)}" if self.explained else sentence


def explained_sentence(count: int) -> str:
    """The sentence for documents that differ because of another program's rules."""
    differ = "1 key differs" if count == 1 else f"{count:,} keys differ"
    return f"{differ} only as the reference service's rules explain"


def reference_of(projection: str) -> Reference | None:
    """The reference service's projections for a log not read yet; None for unknown ones."""
    match projection:
        case "account":
            return ReferenceAccounts()
        case "catalog":
            return ReferenceCatalogs()
        case _:
            return None


def read_reference(projection: str, records: Iterable[Record]) -> Reference | None:
    """The reference service's projections of a log that has been read."""
    reference = reference_of(projection)
    for record in records if reference is not None else ():
        assert reference is not None
        reference.take(record)
    return reference


def explain(diff: Diff, reference: Reference | None, delivered: int | None = None) -> Drift:
    """Split the differences into those that the reference service's rules explain and the rest.

    `delivered` is the sequence up to which it has certainly received the log, None if unknown:
    documents that later messages touched are not expected to be up to date.
    """
    if reference is None:
        return Drift(diff)
    unexplained = []
    for change in diff.changes:
        behind = delivered is not None and reference.touched(change.key) > delivered
        if not behind and (left := _left_over(change, reference)) is not None:
            unexplained.append(left)
    explained = len(diff.changes) - len(unexplained)
    return Drift(Diff(tuple(unexplained), diff.keys), explained)


def _left_over(change: KeyChange, reference: Reference) -> KeyChange | None:
    """The unexplained part of a change, None if there is none."""
    if not reference.has(change.key):
        # The service never creates an account before its initialization: another program did.
        return None if change.before is None else change
    stored = None if change.before is None else read_document(change.before)
    if change.before is None or stored is None or is_too_deep(stored):
        return change
    ours = None if change.after is None else read_document(change.after)
    nearest = encode_document(reference.nearest(change.key, stored, ours))
    return (
        None if same_json(change.before, nearest) else KeyChange(change.key, change.before, nearest)
    )
