"""Rotating the key-encryption key, and destroying an account's data keys.

A rotation adds a new key-encryption key to the key file, makes it the key that wraps, rewraps
every data key and tombstone, and removes the old key from the file. The log is never touched. If
a rotation is interrupted, everything can still be opened, because the file holds both keys; running
it again finishes it. An erasure destroys data keys and then rotates. Older copies of the wrapped
keys, on a disk or in a backup, are then wrapped with a key that no longer exists.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from natster_tui.errors import ConflictError, NotFoundError, RefusedError
from natster_tui.store.sealing.envelope import Key
from natster_tui.store.sealing.key_bucket import BUCKET, ENTRIES_AT_ONCE, TOMBSTONE_PREFIX, Head
from natster_tui.store.sealing.key_file import KeyFile, key_of_text, new_key
from natster_tui.store.sealing.key_records import seal_tombstone
from natster_tui.store.sealing.keyring import Keyring
from natster_tui.text.safe_text import safe_text

_TRIES = 50


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did: the ids of the new and the removed keys, and how many were rewrapped.

    `failed` is the number of entries that did not unwrap, and were left as they are.
    """

    new: str
    removed: tuple[str, ...]
    rewrapped: int
    failed: int


@dataclass(frozen=True, slots=True)
class Destruction:
    """The destroyed data keys of an account, and the rotation that followed."""

    account: str
    keys: tuple[str, ...]
    rotation: Rotation


async def rotate(keyring: Keyring) -> Rotation:
    """Replace the key-encryption key. Raises RefusedError, ConflictError."""
    with _key_file(keyring).rotating():
        return await _rotate(keyring)


async def destroy(keyring: Keyring, account: str) -> Destruction:
    """Destroy an account's data keys: tombstone first, then the keys, then a rotation.

    Once the tombstone is stored, every program that can verify it treats the keys as destroyed.
    After an interruption run it again to finish. Raises NotFoundError if the account has no key.
    """
    with _key_file(keyring).rotating():
        await keyring.refresh()
        keyring.wrapping_key()
        keyring.bucket.refuse_if_it_keeps_all()
        for _try in range(_TRIES):
            if account in keyring.forged:
                # It may have been misread. It names the keys that were destroyed before, and its
                # replacement must name them too.
                keyring.invalidate()
                await keyring.refresh()
            held = [key for key in keyring.wrapped.values() if key.account == account]
            before = keyring.tombstones.get(account)
            named = {key.id for key in held} | set(() if before is None else before.keys)
            if not named:
                raise NotFoundError(
                    f"{BUCKET} holds no data key of {safe_text(account, 80)}: nothing of it was "
                    "sealed here"
                )
            if before is not None and named == set(before.keys):
                break
            try:
                await write_tombstone(keyring, account, named, int(time.time()))
            except ConflictError:
                await keyring.refresh()
        else:
            raise ConflictError(f"others kept writing to {BUCKET}: try again")
        for key in held:
            await keyring.bucket.erase(key.revision)
            keyring.wrapped.pop(key.id, None)
        return Destruction(account, tuple(sorted(named)), await _rotate(keyring))


async def _rotate(keyring: Keyring) -> Rotation:
    file = _key_file(keyring)
    await keyring.refresh()
    keyring.wrapping_key()
    ring = _head(keyring).ring
    written = new_key()
    kek = key_of_text(written)
    with file.locked():
        before = file.read().keyrings[ring]
        file.set_keyring(ring, (*before, written))
    removed = keyring.keks
    rewrapped = 0
    for _try in range(_TRIES):
        await keyring.refresh()
        try:
            if _head(keyring).kek != kek.id:
                keyring.wrapping_key()
                await switch_wrapping_key(keyring, kek)
            while True:
                entries, failed = rewrapped_entries(keyring, kek)
                if not entries:
                    # Anything still wrapped with the old key would be lost: read all of it again.
                    keyring.invalidate()
                    await keyring.refresh()
                    entries, failed = rewrapped_entries(keyring, kek)
                if not entries:
                    break
                await keyring.bucket.write(entries, _head(keyring))
                rewrapped += len(entries)
                await keyring.refresh()
        except ConflictError:
            continue
        break
    else:
        raise ConflictError(f"others kept writing to {BUCKET}: rotate again to finish it")
    with file.locked():
        file.set_keyring(ring, (written,))
    await keyring.refresh()
    return Rotation(kek.id, removed, rewrapped, failed)


async def write_tombstone(keyring: Keyring, account: str, keys: Iterable[str], at: int) -> None:
    """Store a tombstone (`at`: unix seconds); from now on the data keys count as destroyed.

    Raises ConflictError if another writer changed the bucket first.
    """
    stored = _tombstone(keyring, keyring.wrapping_key(), account, keys, at, keyring.keks)
    entry = {f"{TOMBSTONE_PREFIX}{account}": (stored, keyring.tombstone_revision(account))}
    await keyring.bucket.write(entry, _head(keyring))
    await keyring.refresh()


async def switch_wrapping_key(keyring: Keyring, kek: Key) -> None:
    """Make another key of the key file the one that wraps. Raises ConflictError as above."""
    head = _head(keyring)
    await keyring.bucket.write({}, Head(head.ring, kek.id, head.revision))
    await keyring.refresh()


def rewrapped_entries(keyring: Keyring, kek: Key) -> tuple[dict[str, tuple[bytes, int]], int]:
    """Rewrap entries that another key still wraps; also returns how many do not unwrap.

    Returns at most as many entries as fit in one write. Rewrapping all the rest after each write
    would take quadratic time.
    """
    entries: dict[str, tuple[bytes, int]] = {}
    failed = 0
    for wrapped in keyring.wrapped.values():
        if wrapped.kek == kek.id or keyring.is_erased(wrapped.id):
            continue
        if len(entries) >= ENTRIES_AT_ONCE:
            return entries, failed
        key = keyring.find(wrapped.id)
        if isinstance(key, Key):
            stored = keyring.wrap(kek, wrapped.account, key)
            entries[f"{wrapped.account}.{wrapped.id}"] = (stored, wrapped.revision)
        else:
            failed += 1
    for each in keyring.tombstones.values():
        if each.kek != kek.id and len(entries) < ENTRIES_AT_ONCE:
            stored = _tombstone(keyring, kek, each.account, each.keys, each.at, each.under)
            entries[f"{TOMBSTONE_PREFIX}{each.account}"] = (stored, each.revision)
    return entries, failed


def _tombstone(
    keyring: Keyring, kek: Key, account: str, keys: Iterable[str], at: int, under: Iterable[str]
) -> bytes:
    return seal_tombstone(kek, _head(keyring).ring, account, keys, at, under)


def _head(keyring: Keyring) -> Head:
    assert keyring.head is not None
    return keyring.head


def _key_file(keyring: Keyring) -> KeyFile:
    if keyring.key_file is None:
        raise RefusedError("there is no key file here: name one with --key-file")
    if not keyring.key_file.exists():
        raise RefusedError(
            f"there is no key file {keyring.key_file}: put it back from a backup, or name it with "
            "--key-file"
        )
    return keyring.key_file
