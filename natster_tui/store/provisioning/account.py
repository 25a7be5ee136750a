"""The account of a connection: its limits, and how much of them its streams use."""

from __future__ import annotations

from natster_tui.errors import DeniedError
from natster_tui.events.log.hazards import Fill, Limit
from natster_tui.events.log.info import LogInfo
from natster_tui.store.connection.answers.servers import AccountInfoAnswer, AccountTier
from natster_tui.store.connection.link import Link
from natster_tui.store.provisioning.sizes import Room

VERB = "INFO"


async def account_info(link: Link) -> AccountInfoAnswer:
    """The limits and the usage of the connection's account. Raises ServerError."""
    return await link.ask(VERB, AccountInfoAnswer)


def tier_of(account: AccountInfoAnswer, replicas: int) -> AccountTier | None:
    """The tier that limits streams of so many replicas; None if the account has no tiers.

    The usage and the limits of a tier count one replica; those of an account count all of them.
    """
    return (account.tiers or {}).get(f"R{replicas}")


async def room_for(link: Link, replicas: int) -> Room:
    """The account's remaining room for streams of so many replicas.

    It has no limits if we are not permitted to read the account.
    """
    try:
        return room_of(await account_info(link), replicas)
    except DeniedError:
        return Room(replicas=replicas)


def room_of(account: AccountInfoAnswer, replicas: int) -> Room:
    """The same from the server's answer about the account."""
    tier = tier_of(account, replicas)
    used, counted = (account, replicas) if tier is None else (tier, 1)
    limits = used.limits
    storage = None if limits.max_storage < 0 else limits.max_storage
    return Room(
        per_stream=limits.storage_max_stream_bytes or None,
        storage=storage,
        left=None if storage is None else storage - max(used.reserved_storage, used.storage),
        replicas=counted,
        sizes_required=limits.max_bytes_required,
    )


async def account_if_permitted(link: Link) -> AccountInfoAnswer | None:
    """The account; None if we are not permitted to read it."""
    return await link.denials.if_permitted(link.target.request(VERB), lambda: account_info(link))


def account_fill(account: AccountInfoAnswer | None, info: LogInfo) -> Fill | None:
    """How full the log's account is; None if it has no limit, or none is known."""
    if account is None:
        return None
    return fill_of(tier_of(account, info.replicas) or account, info.storage)


def fill_of(used: AccountTier, storage: str) -> Fill | None:
    """How full an account, or one of its tiers, is; `storage` is the log's: file or memory."""
    limits = used.limits
    fill = (
        Fill(Limit.ACCOUNT_MEMORY, used.memory, limits.max_memory)
        if storage == "memory"
        else Fill(Limit.ACCOUNT_STORAGE, used.storage, limits.max_storage)
    )
    return fill if fill.limit > 0 else None
