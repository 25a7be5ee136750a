"""Validating lines of JSON without quoting them."""

from __future__ import annotations

from pydantic import TypeAdapter
from pydantic_core import CoreConfig, SchemaValidator


def line_validator(kind: type) -> SchemaValidator:
    """What reads lines that hold a typed dictionary; its errors never quote the input.

    pydantic takes `hide_input_in_errors` from what it validates at the top, and for a typed
    dictionary it finds nothing there.
    """
    return SchemaValidator(TypeAdapter(kind).core_schema, CoreConfig(hide_input_in_errors=True))
