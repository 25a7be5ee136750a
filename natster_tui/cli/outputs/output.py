"""The base classes of what is printed as JSON, how it is printed, and its JSON schema."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, RootModel
from pydantic.json_schema import GenerateJsonSchema

from natster_tui.text.strict_json import json_line

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_Whole = TypeVar("_Whole")


class Output(BaseModel):
    """Something that is printed as a JSON object.

    A field with a default is left out if it was not given; the default itself is never printed.
    """

    # Only what is printed is ever built.
    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        hide_input_in_errors=True,
        populate_by_name=True,
        use_enum_values=True,
        defer_build=True,
    )


class RootOutput(RootModel[_Whole], Generic[_Whole]):
    """Something that is printed as a JSON array, or as an object with names of any kind."""

    model_config = ConfigDict(
        frozen=True, strict=True, hide_input_in_errors=True, use_enum_values=True, defer_build=True
    )


def output_line(output: BaseModel) -> str:
    """The JSON that a command prints, on one line."""
    return json_line(output.model_dump(by_alias=True, exclude_unset=True))


def schema_of(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The JSON schema of what a command prints."""
    found = model.model_json_schema(schema_generator=_Schema)
    return {"$schema": DIALECT, "title": title, **{k: v for k, v in found.items() if k != "title"}}


class _Schema(GenerateJsonSchema):
    """Leaves out what does not describe an output, so that all versions of pydantic agree."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No field has a title: its name says it."""
        return False

    def default_schema(self, schema: Any) -> Any:
        """No field has a default in the schema: one with a default may be left out."""
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: Any) -> Any:
        """Values of any kind need no mention; only some versions mention them."""
        found = super().dict_schema(schema)
        if found.get("additionalProperties") is True:
            del found["additionalProperties"]
        return found

    def literal_schema(self, schema: Any) -> Any:
        """A constant needs no enumeration; only some versions give both."""
        found = super().literal_schema(schema)
        if "const" in found:
            found.pop("enum", None)
        return found
