"""The entries of the key bucket as values: wrapped data keys and tombstones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sys import intern

from pydantic import ValidationError

from natster_tui.events.tokens import shared_token
from natster_tui.store.files.models import StoredModel
from natster_tui.store.sealing.envelope import Key, OpenError, key_id_of
from natster_tui.store.sealing.key_bucket import KeyEntry


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no key with an id."""

    reason: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as stored: its account, the key that wraps it, and its revision."""

    account: str
    id: str
    kek: str
    stored: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The record that an account's data keys were destroyed. `at` is unix seconds.

    `kek` is the id of the key-encryption key that seals the record. `under` are those that may have
    wrapped the destroyed keys: while one of them exists, a backup of the bucket can be opened.
    """

    account: str
    keys: tuple[str, ...]
    at: int
    under: tuple[str, ...]
    revision: int
    kek: str


class _TombstoneEntry(StoredModel):
    """A tombstone before sealing; the earliest ones lack `under`."""

    keys: tuple[str, ...]
    at: int
    under: tuple[str, ...] = ()


def wrapped_key(name: str, entry: KeyEntry) -> WrappedKey:
    """The data key in an entry, still wrapped; `name` is `<account>.<key id>`.

    The account and the key that wraps it are the objects that others hold for the same texts.
    """
    account, _, key_id = name.rpartition(".")
    try:
        kek = intern(key_id_of(entry.value))
    except OpenError:
        kek = "unknown"
    return WrappedKey(shared_token(account), key_id, kek, entry.value, entry.revision)


def wrap(kek: Key, ring: str, account: str, key: Key) -> bytes:
    """A data key in its stored form."""
    return kek.seal(key.raw, "data key", ring, account, key.id)


def unwrap(kek: Key, ring: str, wrapped: WrappedKey) -> Key:
    """A data key from its stored form; raises OpenError or ValueError."""
    return Key(kek.open(wrapped.stored, "data key", ring, wrapped.account, wrapped.id))


def seal_tombstone(
    kek: Key, ring: str, account: str, keys: Iterable[str], at: int, under: Iterable[str]
) -> bytes:
    """A tombstone in its stored form; the arguments are those of `Tombstone`."""
    value = {"account": account, "keys": sorted(keys), "at": at, "under": list(under)}
    return kek.seal(json.dumps(value).encode(), "tombstone", ring, account)


def open_tombstone(
    keks: Sequence[Key], ring: str, account: str, entry: KeyEntry
) -> Tombstone | None:
    """The tombstone in an entry; None if none of these keys can open it."""
    try:
        kek_id = key_id_of(entry.value)
        kek = next((kek for kek in keks if kek.id == kek_id), None)
        if kek is None:
            return None
        opened = kek.open(entry.value, "tombstone", ring, account)
        read = _TombstoneEntry.model_validate_json(opened)
    except (OpenError, ValidationError):
        return None
    return Tombstone(account, read.keys, read.at, read.under, entry.revision, kek_id)
