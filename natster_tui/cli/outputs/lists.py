"""The JSON output of `list`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from natster_tui.cli.outputs.output import Output

_AS_OF = "The sequence that the list is as of."


class ListedAccount(Output):
    """An account, with counts."""

    key: str
    name: str = Field(description="Empty if it has none.")
    initialized_at: int = Field(description="Unix seconds; 0 if it is not initialized.")
    bound: bool = Field(description="Whether a web context is bound to it.")
    shares: int = Field(description="Shares of its own catalogs with others.")
    shared_with_it: int = Field(description="Shares of others' catalogs with it.")
    imported: int = Field(description="How many of those it has imported.")


class ListedAccounts(Output):
    """The accounts, by name."""

    at: int = Field(description=_AS_OF)
    accounts: tuple[ListedAccount, ...]


class ListedCatalog(Output):
    """A catalog, with counts."""

    name: str
    owner: str = Field(description="The owner's key.")
    owner_name: str = Field(description="Empty if it has none.")
    shared_with: int
    contested_by: int = Field(description="Other accounts that have shared this name.")


class ListedCatalogs(Output):
    """The catalogs, by name."""

    at: int = Field(description=_AS_OF)
    catalogs: tuple[ListedCatalog, ...]


class ListedDocument(Output):
    """A document of a projection."""

    key: str
    name: str = Field(description="The account's name; empty if the key is no account with one.")
    document: dict[str, Any] = Field(description="Secrets are masked.")


class ListedDocuments(Output):
    """The documents of a projection, by the accounts' names if the keys are accounts."""

    at: int = Field(description=_AS_OF)
    kind: str = Field(description="The projection's name.")
    documents: tuple[ListedDocument, ...]
