"""How a file of our own becomes a value: known fields have their own type, others are ignored."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FileModel(BaseModel):
    """What stands in one of our JSON files. A validation error never quotes the file."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )
