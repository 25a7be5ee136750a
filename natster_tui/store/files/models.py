"""Reading JSON that we wrote: our own files, and the records of keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class StoredModel(BaseModel):
    """Known fields are strictly typed, others are ignored; errors never quote the input."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )
