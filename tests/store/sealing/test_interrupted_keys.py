"""Rotations and erasures that are interrupted before each step, and then repeated."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from natster_tui.cli.outputs.keys import KeyList
from natster_tui.errors import ConnectionLostError
from natster_tui.store.connection.link import Link
from natster_tui.store.sealing.envelope import Key, key_id_of
from natster_tui.store.sealing.key_bucket import BUCKET, KeyBucket
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.sealing.key_making import ensure_keys
from natster_tui.store.sealing.key_records import Missing
from natster_tui.store.sealing.key_rotation import destroy, rotate
from natster_tui.store.sealing.keyring import Keyring
from natster_tui.store.settings.connection import ConnectionSettings
from tests.interrupting import How, Killed, Steps
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, C

Work = Callable[[Keyring], Awaitable[object]]

ENOUGH = 400
"""No rotation has so many steps; one that never ends would."""

WAYS = [(How.KILLED, 5), *(pytest.param(how, 1, marks=pytest.mark.full) for how in How)]
"""How it is stopped, and at every how manyth step."""


@dataclass(frozen=True)
class System:
    """A keyring on a server: C was erased long ago, A and B have a key each."""

    link: Link
    key_file: KeyFile
    keys: dict[str, Key]
    stored: bytes
    """A's key as it was wrapped in the beginning, which a backup of the bucket still holds."""

    @classmethod
    async def made(cls, link: Link, key_file: KeyFile) -> System:
        """A new one in the place of another."""
        if await KeyBucket(link, "made").newest() is not None:
            await ask_jetstream(link, f"STREAM.DELETE.KV_{BUCKET}")
        keyring = Keyring(link, key_file, "made")
        await keyring.refresh()
        await ensure_keys(keyring, [A, B, C])
        keys = {account: key for account in (A, B, C) if (key := keyring.key_of(account))}
        await destroy(keyring, C)
        return cls(link, key_file, keys, keyring.wrapped[keys[A].id].stored)

    async def seen(self, link: Link | None = None) -> Keyring:
        """The keys as a new process sees them."""
        keyring = Keyring(link or self.link, self.key_file, "seen")
        await keyring.refresh()
        assert keyring.problems == ()
        assert self.opens(keyring, B)
        assert not self.opens(keyring, C)
        return keyring

    def opens(self, keyring: Keyring, account: str) -> bool:
        """Whether the account's key is what it was; otherwise it must have been erased."""
        found = keyring.find(self.keys[account].id)
        if isinstance(found, Missing):
            assert found.erased, found.reason
            return False
        assert found.raw == self.keys[account].raw
        return True

    @property
    def backup_opens(self) -> bool:
        """Whether any key in any file beside the key file unwraps A's key from a backup."""
        there = b"".join(path.read_bytes() for path in self.key_file.path.parent.iterdir())
        return any(
            Key(bytes.fromhex(found.decode())).id == key_id_of(self.stored)
            for found in re.findall(rb"\bk([0-9a-f]{64})\b", there)
        )

    def assert_settled(self, keyring: Keyring) -> None:
        """Nothing of a rotation is left to do, and none of its drafts to be found."""
        (kek,) = keyring.keks
        assert {key.kek for key in keyring.wrapped.values()} == {kek}
        assert {each.kek for each in keyring.tombstones.values()} == {kek}
        (file,) = (p for p in self.key_file.path.parent.iterdir() if p.stat().st_size)
        assert file == self.key_file.path


async def stopped(settings: ConnectionSettings, steps: Steps, system: System, work: Work) -> bool:
    """Do it over a link of its own; whether it was stopped before its end."""
    link = await Link.open(settings)
    keyring = await system.seen(link)
    try:
        with steps.counted():
            await work(keyring)
    except (Killed, asyncio.CancelledError, ConnectionLostError):
        assert steps.stopped_at
    finally:
        await link.close()
    return bool(steps.stopped_at)


@pytest.mark.parametrize(("how", "every"), WAYS)
async def test_a_rotation_stopped_anywhere_takes_no_key_away(
    link: Link, settings: ConnectionSettings, key_file: KeyFile, how: How, every: int
) -> None:
    system = await System.made(link, key_file)
    for number in range(1, ENOUGH, every):
        steps = Steps(number, key_file.path.parent, how)
        if not await stopped(settings, steps, system, rotate):
            break
        seen = await system.seen()
        assert system.opens(seen, A), steps.stopped_at
        before = seen.keks
        await rotate(seen)
        assert system.opens(seen, A), steps.stopped_at
        assert set(before).isdisjoint(seen.keks)
        system.assert_settled(seen)
    assert number > 30


@pytest.mark.parametrize(("how", "every"), WAYS)
async def test_an_erasure_stopped_anywhere_is_not_done_is_named_or_is_done(
    link: Link, settings: ConnectionSettings, key_file: KeyFile, how: How, every: int
) -> None:
    found = set()
    for number in range(1, ENOUGH, every):
        system = await System.made(link, key_file)
        steps = Steps(number, key_file.path.parent, how)
        if not await stopped(settings, steps, system, lambda keyring: destroy(keyring, A)):
            break
        seen = await system.seen()
        is_open, is_named = system.opens(seen, A), A in interrupted(seen)
        found.add((is_open, is_named))
        assert is_open or is_named or not system.backup_opens, steps.stopped_at
        assert not (is_open and (is_named or A in seen.tombstones)), steps.stopped_at
        await destroy(seen, A)
        assert not system.opens(seen, A)
        assert interrupted(seen) == set()
        assert not system.backup_opens
        system.assert_settled(seen)
    assert number > 30
    assert found >= {(True, False), (False, True)}
    assert every > 1 or (False, False) in found, "the last steps are behind the end of it"


def interrupted(keyring: Keyring) -> set[str]:
    """The accounts whose erasure `keys list` says was interrupted."""
    listed = KeyList.of(keyring)
    reasons: list[tuple[str, str | None]] = [(key.account, key.reason) for key in listed.keys]
    reasons += [(erased.account, erased.reason) for erased in listed.erased]
    return {account for account, reason in reasons if "was interrupted" in (reason or "")}
