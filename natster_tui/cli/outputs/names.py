"""The outputs that `natster-tui schema` can describe, by name."""

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
    OutputName(
        "status", "status --json", "status", "Status", "The log, its projections, and hazards."
    ),
    OutputName("tail", "tail --json", "events", "TailedEvent", "An event, on a line of its own."),
    OutputName(
        "list-accounts", "list accounts --json", "lists", "ListedAccounts", "Accounts, with counts."
    ),
    OutputName(
        "list-catalogs", "list catalogs --json", "lists", "ListedCatalogs", "Catalogs, with counts."
    ),
    OutputName(
        "list-documents",
        "list PROJECTION --json",
        "lists",
        "ListedDocuments",
        "Documents of a projection.",
    ),
    OutputName("show", "show --json", "documents", "ShownDocument", "One document."),
    OutputName(
        "diff", "diff --json", "documents", "DocumentDifference", "One document at two moments."
    ),
    OutputName(
        "why", "why --json", "documents", "DocumentOrigin", "The events that made a document."
    ),
    OutputName("event", "event --json", "events", "ShownEvent", "One event, and what it changed."),
    OutputName(
        "community", "community --json", "community", "Community", "The community's figures."
    ),
    OutputName(
        "check-name",
        "check-name --json",
        "community",
        "CheckedName",
        "Whether a catalog's name is free.",
    ),
    OutputName(
        "project", "project --once --json", "projecting", "Projected", "How far projections are."
    ),
    OutputName(
        "verify", "verify --json", "projecting", "Verdicts", "Whether what is stored is right."
    ),
    OutputName(
        "rebuild",
        "rebuild --yes --json",
        "projecting",
        "Verdicts",
        "What is stored after a rebuild.",
    ),
    OutputName(
        "rebuild-dry-run",
        "rebuild --dry-run --json",
        "projecting",
        "Plans",
        "What a rebuild would change.",
    ),
    OutputName("try", "try --json", "trying", "Trials", "What a projection of a file gives."),
    OutputName("fold", "fold", "trying", "Folded", "The documents of an exported log."),
    OutputName(
        "compare", "compare --json", "versions", "ComparedVersions", "Two versions side by side."
    ),
    OutputName(
        "promote", "promote --json", "versions", "PromotedVersion", "A version that was promoted."
    ),
    OutputName("publish", "publish --json", "log", "Published", "The sequence of a new event."),
    OutputName(
        "export",
        "export",
        "events",
        "ExportedLine",
        "An event or a data key, on a line.",
    ),
    OutputName("import", "import --json", "log", "Imported", "What an import did, in counts."),
    OutputName("keys-list", "keys list --json", "keys", "KeyList", "The data keys, by account."),
    OutputName("keys-rotate", "keys rotate --json", "keys", "Rotated", "What a rotation did."),
    OutputName("keys-erase", "keys erase --yes --json", "keys", "Erased", "What erasing did."),
    OutputName("config", "config --json", "program", "Config", "The settings in force."),
    OutputName("schema", "schema --json", "program", "Schemas", "The outputs with a schema."),
)

BY_NAME = {each.name: each for each in OUTPUTS}
