"""Accounts by the names that they announced, for commands that take a name or a key."""

from __future__ import annotations

from contextlib import aclosing

from natster_tui.errors import UsageError
from natster_tui.events.event import Event, Record
from natster_tui.events.system import EventSystem
from natster_tui.projections.account import announced_name
from natster_tui.projections.account_lookup import matching_accounts
from natster_tui.store.log import EventLog
from natster_tui.text.masking import screen_text

_SHOWN = 5


def record_name(names: dict[str, str], record: Record, system: EventSystem) -> None:
    """Add the account that a record announces, if it does; its name is "" while it has none."""
    event = system.read(record)
    if isinstance(event, Event) and event.kind.names_account:
        names[event.origin] = announced_name(event.payload) or names.get(event.origin, "")


async def account_names(log: EventLog, instance: str) -> dict[str, str]:
    """The names of the initialized accounts, by key, from their initializations alone."""
    names: dict[str, str] = {}
    head = (await log.refresh()).last_seq
    for kind in log.system.kinds:
        if kind.names_account:
            wanted = log.system.subject(event=kind.name)
            async with aclosing(
                log.records(1, head, purpose="names", instance=instance, subject_filter=wanted)
            ) as batches:
                async for batch in batches:
                    for record in batch:
                        record_name(names, record, log.system)
    return names


async def resolve_account(log: EventLog, text: str, instance: str) -> str | None:
    """The key of the initialized account whose name is `text`, or whose key begins with it.

    None if there is none; raises UsageError if there are several.
    """
    names = await account_names(log, instance)
    found = matching_accounts(text, names)
    if len(found) > 1:
        shown = ", ".join(f"{screen_text(names[k], 40)} {k}".strip() for k in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
        raise UsageError(f"{screen_text(text, 60)} could be {shown}{more}: type more of the key")
    return found[0] if found else None
