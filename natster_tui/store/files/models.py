"""How JSON that we wrote becomes a value again: files of our own, and records of the keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class StoredModel(BaseModel):
    """Known fields must have their own type, others are ignored; errors never quote the input."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )
