"""What `community` and `check-name` print."""

from __future__ import annotations

from pydantic import Field

from natster_tui.cli.outputs.output import Output


class NamedAccount(Output):
    """An account by key and name."""

    account: str = Field(description="Its key.")
    name: str = Field(description="Empty if it has none.")


class Community(Output):
    """The figures of the community."""

    at: int = Field(description="The sequence that the figures are as of.")
    accounts_initialized: int
    active_shares: int
    catalogs: int
    duplicate_names: dict[str, tuple[str, ...]] = Field(
        description="Catalog names that several accounts share: their keys, the owner first."
    )
    differ_in_case_only: dict[str, tuple[str, ...]] = Field(
        description="Catalog names, and those that differ from them in letter case only."
    )
    hubs: tuple[NamedAccount, ...]
    prize_candidates: tuple[NamedAccount, ...] = Field(
        description="Accounts that imported a catalog, other than a hub's."
    )


class TakenName(Output):
    """A catalog that has the name already, or the name in another letter case."""

    name: str
    owner: str = Field(description="The owner's key.")
    owner_name: str = Field(description="Empty if it has none.")
    contested_by: tuple[str, ...] = Field(description="Keys of others that have shared the name.")


class CheckedName(Output):
    """Whether a catalog's name is free."""

    name: str
    free: bool
    taken: tuple[TakenName, ...]
