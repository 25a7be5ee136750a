"""Lost or damaged keys are never mistaken for keys that were not made yet."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from natster_tui.errors import RefusedError
from natster_tui.events.natster import EventType
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.key_bucket import BUCKET, KEYRING_ENTRY, KeyBucket
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, event
from tests.sealed_logs import keyring_of, opened_with, put_key_entry, sealed_log

STREAM = f"KV_{BUCKET}"


async def deleted(link: Link) -> None:
    await ask_jetstream(link, f"STREAM.DELETE.{STREAM}")


async def purged(link: Link) -> None:
    await ask_jetstream(link, f"STREAM.PURGE.{STREAM}")


async def without_head(link: Link) -> None:
    await ask_jetstream(link, f"STREAM.PURGE.{STREAM}", {"filter": f"$KV.{BUCKET}.{KEYRING_ENTRY}"})


async def damaged_head(link: Link) -> None:
    await put_key_entry(link, KEYRING_ENTRY, b'{"id":"r1"')


Loss = Callable[[Link], Coroutine[Any, Any, None]]
LOSSES: dict[Loss, str] = {
    deleted: "NATSTER_KEYS is missing, but NATSTER_EVENTS holds sealed events",
    purged: "NATSTER_KEYS is empty, but NATSTER_EVENTS holds sealed events",
    without_head: "NATSTER_KEYS holds keys, but the entry _keyring is missing",
    damaged_head: "the entry _keyring of NATSTER_KEYS is damaged",
}


async def published(log: EventLog, *accounts: str) -> None:
    named = b'{"account_name":"x"}'
    events = [event(EventType.INITIALIZED, a, "none", "none", named) for a in accounts]
    await log.append_all(events, expected_last=None)


@pytest.mark.parametrize("lose", list(LOSSES))
@pytest.mark.parametrize("while_open", [False, True])
async def test_lost_keys_are_told_and_not_replaced(
    link: Link, tmp_path: Path, lose: Loss, while_open: bool
) -> None:
    key_file = tmp_path / "keys" / "keys.json"
    log = await sealed_log(link, key_file)
    log = await opened_with(log, key_file)
    await published(log, A)
    await lose(link)
    kept = key_file.read_bytes()
    # Who holds the keys already does not notice that entries were removed, and needs them no more.
    if not while_open or lose in (purged, without_head):
        log = await opened_with(log, key_file)
    await log.sealing.refresh()
    assert LOSSES[lose] in keyring_of(log).problem
    assert "restore the bucket from a backup" in keyring_of(log).problem
    assert keyring_of(log).problem in log.sealing.problems
    assert log.sealing.seal_problem
    assert log.sealing.tombstones is None
    (read,) = [
        record async for batch in log.records(1, 1, purpose="t", instance="t") for record in batch
    ]
    assert read.seal is not None
    assert LOSSES[lose] in read.seal.reason
    with pytest.raises(RefusedError, match=LOSSES[lose]):
        await published(log, B)
    assert key_file.read_bytes() == kept
    if lose is deleted:
        assert await KeyBucket(link, "look").newest() is None


async def test_a_log_without_a_sealed_event_has_lost_nothing(link: Link, tmp_path: Path) -> None:
    log = await sealed_log(link, tmp_path / "keys" / "keys.json")
    await log.append_all(
        [event(EventType.INITIALIZED, A, "none", "none"), event(EventType.SHARED, A, B, "c")],
        expected_last=None,
    )
    log = await opened_with(log, tmp_path / "keys" / "keys.json")
    assert log.sealing.problems == ()
    await published(log, B)
    assert log.sealing.problems == ()


async def test_keys_that_come_back_are_used_again(link: Link, tmp_path: Path) -> None:
    key_file = tmp_path / "keys" / "keys.json"
    log = await opened_with(await sealed_log(link, key_file), key_file)
    await published(log, A)
    entries = await KeyBucket(link, "look").entries_after(0, 10**15)
    await damaged_head(link)
    await log.sealing.refresh()
    assert log.sealing.problems
    await put_key_entry(link, KEYRING_ENTRY, entries[KEYRING_ENTRY].value)
    assert await log.sealing.refresh()
    assert log.sealing.problems == ()
    await published(log, A, B)
