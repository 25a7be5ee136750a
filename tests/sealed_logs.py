"""Sealed logs in tests: one on a server, opened as the program opens it, and its keys."""

from __future__ import annotations

from pathlib import Path

from natster_tui.events.natster import NATSTER
from natster_tui.events.system import EventSystem
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.sealing.choice import SealingChoice, open_sealing
from natster_tui.store.sealing.key_bucket import BUCKET
from natster_tui.store.sealing.keyring import Keyring

SECRET = "a-secret-nobody-may-read"


async def sealed_log(link: Link, key_file: Path, system: EventSystem = NATSTER) -> EventLog:
    """A new log with sealing on."""
    log = await EventLog.create(link, system, LogSettings(sealing="on"))
    return await opened_with(log, key_file)


async def opened_with(
    log: EventLog, key_file: Path | None, *, wanted: bool | None = None
) -> EventLog:
    """The log as another process with this key file opens it, over the same link."""
    again = await EventLog.open(log.link, log.system)
    choice = SealingChoice(wanted, key_file, is_named=True)
    again.sealing = await open_sealing(again.link, again.system, again.info, choice)
    return again


def keyring_of(log: EventLog) -> Keyring:
    assert log.sealing.keyring is not None
    return log.sealing.keyring


async def key_entry(log: EventLog, account: str) -> tuple[str, bytes]:
    """The name and stored value of an account's data key."""
    keyring = keyring_of(log)
    await keyring.refresh()
    (key,) = [key for key in keyring.wrapped.values() if key.account == account]
    return f"{account}.{key.id}", key.stored


async def put_key_entry(link: Link, name: str, value: bytes) -> None:
    """Write an entry of the keys' bucket, as any permitted client may."""
    await link.request(link.target.stored(f"$KV.{BUCKET}.{name}"), value)
