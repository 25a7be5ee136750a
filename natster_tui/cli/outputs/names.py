"""The names of the outputs, as `natster-tui schema` takes them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class OutputName:
    """An output: the command that prints it, and the module of this package with its model."""

    name: str
    command: str
    module: str
    model: str
    summary: str

    def load(self) -> type[BaseModel]:
        """The model."""
        model: type[BaseModel] = getattr(import_module(f"{__package__}.{self.module}"), self.model)
        return model


OUTPUTS = (
    OutputName("publish", "publish --json", "log", "Published", "The sequence of a new event."),
    OutputName("import", "import --json", "log", "Imported", "What an import did, in counts."),
    OutputName("config", "config --json", "program", "Config", "The settings in force."),
    OutputName("schema", "schema --json", "program", "Schemas", "The outputs with a schema."),
)

BY_NAME = {each.name: each for each in OUTPUTS}
