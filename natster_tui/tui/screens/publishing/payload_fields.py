"""The form fields for a kind's payload, and making the payload from their values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from natster_tui.events.event_kind import EventKind
from natster_tui.text.masking import is_secret_name

Path = tuple[str, ...]
"""The path of a field in the payload, object by object."""


@dataclass(frozen=True, slots=True)
class PayloadField:
    """One text of a payload. A kind without a model has one field, the JSON, whose path is ()."""

    path: Path
    is_required: bool = False

    @property
    def name(self) -> str:
        """Its label in the form."""
        return self.path[-1] if self.path else "payload"

    @property
    def is_secret(self) -> bool:
        """Whether what is typed must not be seen."""
        return any(map(is_secret_name, self.path))


_JSON = PayloadField(())


def payload_fields(kind: EventKind) -> tuple[PayloadField, ...]:
    """The fields to ask for, in the order of the model."""
    if kind.payload_model is None:
        return (_JSON,)
    return tuple(_fields(kind.payload_model(), ()))


def _fields(model: type[BaseModel], path: Path) -> Iterator[PayloadField]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _fields(inner, (*path, name))
        else:
            yield PayloadField((*path, name), field.is_required())


def payload_of(values: Mapping[Path, str]) -> bytes:
    """The payload for the values; empty if all of them are.

    Empty fields are left out, but the objects around them are kept.
    """
    if not any(values.values()):
        return b""
    if () in values:
        return values[()].strip().encode("utf-8", "replace")
    made: dict[str, Any] = {}
    for path, value in values.items():
        within = made
        for name in path[:-1]:
            within = within.setdefault(name, {})
        if value:
            within[path[-1]] = value
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")
