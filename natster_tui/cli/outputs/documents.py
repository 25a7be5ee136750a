"""The JSON output of `show`, `diff` and `why`, about one document."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from natster_tui.cli.outputs.output import Output

_AS_OF = "The sequence that the document is shown as of."


class ShownDocument(Output):
    """One document as the log says it."""

    kind: str = Field(description="The projection's name.")
    key: str
    at: int = Field(description=_AS_OF)
    document: dict[str, Any] = Field(description="Secrets are masked without --reveal.")


class DocumentDifference(Output):
    """One document at two moments."""

    kind: str = Field(description="The projection's name.")
    key: str
    from_: int = Field(
        validation_alias="from",
        serialization_alias="from",
        description="The sequence of the first moment.",
    )
    to: int = Field(description="The sequence of the second moment.")
    exists: tuple[bool, bool] = Field(description="Whether there was a document then.")
    fields: tuple[str, ...] = Field(description="Each field that differs, as one line.")


class MakingEvent(Output):
    """An event that changed a document."""

    seq: int
    time: int = Field(description="When it happened, in unix seconds.")
    subject: str
    changes: tuple[str, ...] = Field(description="Each field that it changed, as one line.")


class DocumentOrigin(Output):
    """The events that made a document."""

    kind: str = Field(description="The projection's name.")
    key: str
    at: int = Field(description=_AS_OF)
    events: tuple[MakingEvent, ...] = Field(description="Newest first.")
