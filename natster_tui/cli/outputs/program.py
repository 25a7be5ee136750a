"""The JSON output of `config` and `schema`."""

from __future__ import annotations

from pydantic import Field

from natster_tui.cli.outputs.output import Output, RootOutput


class ConfigSetting(Output):
    """A setting, and where its value comes from."""

    name: str
    value: str = Field(description="The value as text, masked if it is secret.")
    source: str = Field(description="A flag, a variable, a file, or `default`.")


class Config(Output):
    """The settings in force."""

    settings: tuple[ConfigSetting, ...]


class SchemaName(Output):
    """An output that has a schema."""

    name: str = Field(description="The name that `schema` takes.")
    command: str = Field(description="The command that prints it.")
    summary: str


class Schemas(RootOutput[tuple[SchemaName, ...]]):
    """The outputs that have a schema."""
