"""The JSON output of `community` and `check-name`."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from natster_tui.cli.outputs.output import Output
from natster_tui.projections.account import AccountState
from natster_tui.projections.community.report import CommunityReport
from natster_tui.text.masking import mask_text


class NamedAccount(Output):
    """An account by key and name."""

    account: str = Field(description="Its key.")
    name: str = Field(description="Empty if it has none.")

    @classmethod
    def of(cls, key: str, accounts: Mapping[str, AccountState]) -> NamedAccount:
        """The account of a key, secrets masked."""
        state = accounts.get(key)
        name = "" if state is None else state.account_name or ""
        return cls(account=mask_text(key), name=mask_text(name))


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

    @classmethod
    def of(
        cls, report: CommunityReport, accounts: Mapping[str, AccountState], at: int
    ) -> Community:
        """A report, secrets masked; `at` is the sequence that it is as of."""
        figures = report.figures
        return cls(
            at=at,
            accounts_initialized=figures.accounts_initialized,
            active_shares=figures.active_shares,
            catalogs=figures.catalogs,
            duplicate_names={
                mask_text(name): tuple(map(mask_text, (state.owner, *state.contested_by)))
                for name, state in report.contested.items()
            },
            differ_in_case_only={
                mask_text(name): tuple(map(mask_text, others))
                for name, others in report.case_collisions.items()
            },
            hubs=tuple(NamedAccount.of(key, accounts) for key in report.hubs),
            prize_candidates=tuple(NamedAccount.of(key, accounts) for key in report.candidates),
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
