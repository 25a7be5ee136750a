"""Counts of the fields in which documents differ, as several commands print them."""

from __future__ import annotations

from pydantic import Field

from natster_tui.cli.outputs.output import Output
from natster_tui.projections.versions.comparing import FieldCount, Sign


class FieldDifference(Output):
    """A field in which documents differ."""

    sign: Sign = Field(description="`+` it came, `-` it went, `~` it has another value.")
    field: str
    documents: int = Field(description="In how many documents.")

    @classmethod
    def of(cls, count: FieldCount) -> FieldDifference:
        """One count."""
        return cls(sign=count.sign, field=count.field, documents=count.documents)
