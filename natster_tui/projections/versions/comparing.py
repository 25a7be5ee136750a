"""Comparing the documents of two versions of a projection, both at the same position in the log."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from natster_tui.projections.diff import (
    Diff,
    FieldChange,
    KeyChange,
    Kind,
    diff_documents,
    same_json,
)

Sign = Literal["+", "-", "~"]


@dataclass(frozen=True, slots=True)
class FieldCount:
    """In how many documents a field was added (`+`), removed (`-`) or changed (`~`)."""

    sign: Sign
    field: str
    documents: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How the documents of one version differ from those of another, key by key.

    `diff` says what must change for the stored documents to become those of the version beside.
    """

    diff: Diff

    def __bool__(self) -> bool:
        return bool(self.diff)

    @property
    def equal(self) -> int:
        """How many documents are the same in both; spacing may differ."""
        return self.diff.keys - len(self.diff.changes)

    @property
    def changed(self) -> tuple[KeyChange, ...]:
        """The documents that are in both, and differ."""
        return self._of_kind("changed")

    @property
    def only_stored(self) -> tuple[KeyChange, ...]:
        """The documents that only the stored version has."""
        return self._of_kind("removed")

    @property
    def only_beside(self) -> tuple[KeyChange, ...]:
        """The documents that only the version beside has."""
        return self._of_kind("added")

    def _of_kind(self, kind: Kind) -> tuple[KeyChange, ...]:
        return tuple(change for change in self.diff.changes if change.kind == kind)

    def fields(self) -> tuple[FieldCount, ...]:
        """The fields in which documents that are in both differ, and in how many."""
        return field_counts(self.changed)


def compare_documents(stored: Mapping[str, bytes], beside: Mapping[str, bytes]) -> Difference:
    """Compare whole documents by key."""
    return Difference(diff_documents(stored, beside, same_json))


def field_counts(changes: Iterable[KeyChange]) -> tuple[FieldCount, ...]:
    """In how many of the changed documents each field was added, removed or changed."""
    counts: Counter[tuple[Sign, str]] = Counter()
    for change in changes:
        if change.kind == "changed":
            counts.update({(_sign(field), _top(field)) for field in change.fields()})
    return tuple(FieldCount(sign, field, count) for (sign, field), count in sorted(counts.items()))


def _sign(field: FieldChange) -> Sign:
    if _top(field) != field.path:
        return "~"
    if field.before is None:
        return "+"
    return "-" if field.after is None else "~"


def _top(field: FieldChange) -> str:
    """The document's field that a change is in; a remark on the whole document is in brackets."""
    return re.split(r"(?<=.)[.\[(]", field.path, maxsplit=1)[0]
