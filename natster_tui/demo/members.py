"""The community's accounts, catalogs and active shares, as the story keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field

from natster_tui.demo.cast import AccountKind


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """The ids that stay the same each time an account signs in on the web."""

    oauth_id: str
    team_id: str
    system_id: str
    user_id: str


@dataclass(slots=True, eq=False)
class Account:
    """An account; `circle` holds its friends, `joined` says that it is initialized."""

    key: str
    account_id: str
    name: str
    slug: str
    kind: AccountKind
    circle: dict[Account, None] = field(default_factory=dict)
    catalogs: list[Catalog] = field(default_factory=list)
    joined: bool = False
    identity: WebIdentity | None = None
    renamed: bool = False


@dataclass(slots=True, eq=False)
class Catalog:
    """A catalog and its active shares.

    `audience` is how many recipients its owner has in mind; `disputed` says that another
    account's catalog of the same name, or nearly, exists already.
    """

    name: str
    owner: Account
    audience: int
    shares: dict[Account, Share] = field(default_factory=dict)
    disputed: bool = False


@dataclass(slots=True, eq=False)
class Share:
    """`place` is its index among the story's active shares, None when withdrawn."""

    catalog: Catalog
    recipient: Account
    place: int | None


def befriend(one: Account, other: Account) -> None:
    """Make two accounts each other's friends."""
    one.circle[other] = None
    other.circle[one] = None
