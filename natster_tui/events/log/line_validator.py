"""A validator for lines of JSON whose errors never quote the line."""

from __future__ import annotations

from pydantic import TypeAdapter
from pydantic_core import CoreConfig, SchemaValidator


def line_validator(kind: type) -> SchemaValidator:
    """A validator for lines that hold a typed dictionary.

    pydantic ignores a typed dictionary's own `hide_input_in_errors`, so it is set here.
    """
    return SchemaValidator(TypeAdapter(kind).core_schema, CoreConfig(hide_input_in_errors=True))
