"""The JSON output of `tail`, `event` and `export`: events in one form."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from natster_tui.cli.outputs.output import Output, RootOutput

_HeaderTexts = dict[str, str | list[str]]


class StoredEvent(Output):
    """An event. It has either `payload` or `payload_base64`."""

    seq: int
    time: str = Field(description="When it was stored, RFC 3339.")
    subject: str
    headers: _HeaderTexts = Field(description="A text, or several if a name is repeated.")
    headers_base64: _HeaderTexts = Field(
        default={}, description="Headers with a value that is not UTF-8, in base64."
    )
    payload: str = ""
    payload_base64: str = Field(default="", description="A payload that is not UTF-8, in base64.")


class TailedEvent(StoredEvent):
    """An event, its secrets masked. It has either `payload` or `payload_base64`."""

    masked: Literal[True]


class EventEffect(Output):
    """What an event changed in one document."""

    projection: str
    key: str
    made: bool = Field(description="Whether the event made the document.")
    fields: tuple[str, ...] = Field(description="Each field that it changed, as one line.")


class ShownEvent(StoredEvent):
    """An event and what it changed. It has either `payload` or `payload_base64`."""

    masked: Literal[True] = Field(default=True, description="Left out with --reveal.")
    changes: tuple[EventEffect, ...]
    problem: str | None = Field(description="Why it is not known what the event changed.")


class ExportedKey(Output):
    """An entry of the keys' bucket. It has either `value` or `value_base64`."""

    key: str = Field(description="The entry's name.")
    value: str = ""
    value_base64: str = Field(default="", description="A value that is not UTF-8, in base64.")


class ExportedLine(RootOutput[StoredEvent | ExportedKey]):
    """A line: with --keys the keys come first, each on its own line, then the events."""
