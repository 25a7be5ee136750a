"""The known keys, in memory: the bucket's entries, and the keys that the key file opens.

Data keys are unwrapped at first use, and then kept with their ciphers. A key that does not unwrap
is reported and not changed. A missing key counts as erased only if an authentic tombstone names it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from natster_tui.errors import RefusedError
from natster_tui.store.sealing.envelope import HEAD_BYTES, Key, OpenError
from natster_tui.store.sealing.key_bucket import (
    BUCKET,
    KEYRING_ENTRY,
    TOMBSTONE_PREFIX,
    Head,
    KeyEntry,
    read_head,
)
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.sealing.key_records import (
    Missing,
    Tombstone,
    WrappedKey,
    open_tombstone,
    unwrap,
    wrapped_key,
)
from natster_tui.text.safe_text import safe_text


class KeyTable:
    """Data keys by id and by account, tombstones, and the key-encryption keys that open them."""

    def __init__(self, key_file: KeyFile | None) -> None:
        self.key_file = key_file
        self.problem = ""
        """Why the keys cannot be used at all; empty if they can."""
        self._keks: tuple[Key, ...] = ()
        self.forget()

    def forget(self) -> None:
        """Clear the table: the bucket that the keys came from is gone."""
        self.head: Head | None = None
        self.has_damaged_head = False
        """Whether the entry that names the keyring exists but cannot be read."""
        self.wrapped: dict[str, WrappedKey] = {}
        """By key id."""
        self.tombstones: dict[str, Tombstone] = {}
        """The authentic tombstones, by account."""
        self._unverified: dict[str, KeyEntry] = {}
        """Entries in the place of a tombstone that are not authentic, by account."""
        self._of_account: dict[str, str] = {}
        self._erased: dict[str, str] = {}
        self.lock()

    # -- finding -----------------------------------------------------------------------------

    @property
    def keks(self) -> tuple[str, ...]:
        """The ids of the key-encryption keys that the key file holds for this keyring."""
        return tuple(key.id for key in self._keks)

    @property
    def available(self) -> bool:
        """Whether data keys can be unwrapped here."""
        return bool(self._keks)

    def has_key_of(self, account: str) -> bool:
        """Whether an account has a data key to seal its values with."""
        return account in self._of_account

    def key_of(self, account: str) -> Key | None:
        """The data key that seals an account's values now; None if there is none."""
        name = self._of_account.get(account)
        if name is None:
            return None
        found = self.find(name)
        if isinstance(found, Key):
            return found
        raise RefusedError(
            f"nothing can be sealed for {safe_text(account, 80)}: its data key {name} cannot be "
            f"used ({found.reason})"
        )

    def current_key_of(self, account: str) -> WrappedKey | None:
        """The same key as stored, even if it cannot be used."""
        return self.wrapped.get(self._of_account.get(account, ""))

    def key_for(self, stored: bytes) -> Key | None:
        """The data key that seals a value, if it was unwrapped before; else call `find`."""
        return self._by_head.get(stored[:HEAD_BYTES])

    def find(self, key_id: str) -> Key | Missing:
        """The data key with an id, or why there is none."""
        found = self._keys.get(key_id) or self._missing.get(key_id)
        if found is None:
            found = self._unwrap(key_id)
            if isinstance(found, Key):
                self._hold(found)
            else:
                self._missing[key_id] = found
        return found

    def missing_keys(self) -> list[str]:
        """The ids that were looked up and not found, and that no tombstone names."""
        return [name for name, missing in self._missing.items() if not missing.erased]

    def _unwrap(self, key_id: str) -> Key | Missing:
        if key_id in self._erased:
            # Even if its entry still exists: an erasure counts from its tombstone on.
            return Missing(f"the keys of {self._erased[key_id]} were erased", erased=True)
        if self.problem:
            return Missing(self.problem)
        wrapped = self.wrapped.get(key_id)
        if wrapped is None:
            return Missing(
                f"{BUCKET} does not hold it, and no authentic tombstone says that it was erased"
            )
        kek = self._kek(wrapped.kek)
        if kek is None:
            return Missing(
                f"it is wrapped with the key-encryption key {wrapped.kek}, which {self.key_file} "
                "does not hold"
            )
        assert self.head is not None
        try:
            key = unwrap(kek, self.head.ring, wrapped)
        except (OpenError, ValueError) as error:
            return Missing(f"its entry in {BUCKET} does not unwrap: {error}")
        if key.id != key_id:
            return Missing(f"its entry in {BUCKET} holds another key")
        key.id = wrapped.id  # one object for both
        return key

    def _kek(self, kek_id: str) -> Key | None:
        return next((kek for kek in self._keks if kek.id == kek_id), None)

    # -- what wraps --------------------------------------------------------------------------

    def current_kek(self) -> Key | None:
        """The key-encryption key that wraps now, if the key file holds it."""
        return None if self.head is None else self._kek(self.head.kek)

    # -- erasures ----------------------------------------------------------------------------

    @property
    def digest(self) -> str:
        """The digest of the authentic tombstones, an input of the fold; empty if there are none."""
        if not self.tombstones:
            return ""
        digest = hashlib.sha256()
        for account, tombstone in sorted(self.tombstones.items()):
            for part in (account, *sorted(tombstone.keys)):
                digest.update(len(part).to_bytes(8, "big") + part.encode())
        return digest.hexdigest()

    @property
    def forged(self) -> tuple[str, ...]:
        """The accounts whose tombstone is not authentic; empty without keys to check them."""
        return tuple(self._unverified) if self.available else ()

    def tombstone_revision(self, account: str) -> int:
        """The revision of the account's tombstone, authentic or not; 0 if there is none."""
        entry = self.tombstones.get(account) or self._unverified.get(account)
        return 0 if entry is None else entry.revision

    def is_unfinished(self, tombstone: Tombstone) -> bool:
        """Whether an erasure was interrupted before its old keys left the key file."""
        return not set(tombstone.under).isdisjoint(self.keks)

    def is_erased(self, key_id: str) -> bool:
        """Whether an authentic tombstone names this key."""
        return key_id in self._erased

    # -- adding ------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether the bucket held nothing at all."""
        return not (self.head or self.has_damaged_head or self.wrapped or self._has_tombstones)

    @property
    def _has_tombstones(self) -> bool:
        return bool(self.tombstones or self._unverified)

    def add_entries(self, entries: Mapping[str, KeyEntry]) -> None:
        """Add entries of the bucket, by name; they are opened when they are used."""
        for name, entry in entries.items():
            if name == KEYRING_ENTRY:
                self.head = read_head(entry)
                self.has_damaged_head = self.head is None
            elif name.startswith(TOMBSTONE_PREFIX):
                self._unverified[name.removeprefix(TOMBSTONE_PREFIX)] = entry
            else:
                wrapped = wrapped_key(name, entry)
                self.wrapped[wrapped.id] = wrapped
                self._drop(wrapped.id)
                self._of_account[wrapped.account] = wrapped.id
        self._missing.clear()

    def lock(self, problem: str = "") -> None:
        """Drop all key-encryption keys, and the keys that were unwrapped with them."""
        self.unlock((), problem)

    def unlock(self, keks: Sequence[Key], problem: str = "") -> None:
        """Use these key-encryption keys, newest last; if there are none, `problem` says why."""
        self._keks, self.problem = tuple(keks), problem
        self._keys: dict[str, Key] = {}
        """The unwrapped keys, by id."""
        self._by_head: dict[bytes, Key] = {}
        """The same keys, by the head of the values that they seal."""
        self._missing: dict[str, Missing] = {}

    def verify_tombstones(self) -> None:
        """Find the authentic tombstones, and drop the keys that they name."""
        if self.head is not None:
            for account, entry in list(self._unverified.items()):
                tombstone = open_tombstone(self._keks, self.head.ring, account, entry)
                if tombstone is not None:
                    self.tombstones[account] = tombstone
                    del self._unverified[account]
        for account, tombstone in self.tombstones.items():
            for key_id in tombstone.keys:
                if key_id not in self._erased:
                    self._erased[key_id] = safe_text(account, 80)
                    self._drop(key_id)
                    self._missing.pop(key_id, None)
            if self._of_account.get(account) in tombstone.keys:
                del self._of_account[account]

    def adopt(self, wrapped: WrappedKey, key: Key) -> None:
        """Add a data key that was created here and is stored."""
        self.wrapped[key.id] = wrapped
        self._hold(key)
        self._missing.pop(key.id, None)
        self._of_account[wrapped.account] = key.id

    def _hold(self, key: Key) -> None:
        self._keys[key.id] = self._by_head[key.head] = key

    def _drop(self, key_id: str) -> None:
        key = self._keys.pop(key_id, None)
        if key is not None:
            del self._by_head[key.head]
