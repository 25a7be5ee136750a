"""Differing fields and keys of documents, as several commands print them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from natster_tui.cli.outputs.output import Output
from natster_tui.projections.diff import KeyChange
from natster_tui.projections.versions.comparing import FieldCount, Sign
from natster_tui.text.masking import mask_text


class FieldDifference(Output):
    """A field in which documents differ."""

    sign: Sign = Field(description="`+` added, `-` removed, `~` changed.")
    field: str
    documents: int = Field(description="In how many documents.")

    @classmethod
    def of(cls, count: FieldCount) -> FieldDifference:
        """One count."""
        return cls(sign=count.sign, field=count.field, documents=count.documents)


def keys_of(changes: Iterable[KeyChange]) -> tuple[str, ...]:
    """The keys of documents that differ, secrets masked."""
    return tuple(mask_text(change.key) for change in changes)
