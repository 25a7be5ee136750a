"""The data keys of a system: found by their id, made when they are missing, never replaced.

One data key per account, wrapped under a key-encryption key from the key file, bound to the
keyring, the account and its own id, and kept in `key_bucket`. Keys are unwrapped when they are
first used and then kept, cipher and all. A key that does not unwrap is reported and left alone;
one that is not there was erased only if an authentic tombstone names it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

from natster_tui.errors import ConflictError, DeniedError, RefusedError, ServerError
from natster_tui.store.connection.link import Link
from natster_tui.store.sealing.envelope import HEAD_BYTES, Key, OpenError, key_id_of
from natster_tui.store.sealing.key_bucket import (
    BUCKET,
    ENTRIES_AT_ONCE,
    KEYRING_ENTRY,
    TOMBSTONE_PREFIX,
    Head,
    KeyBucket,
    KeyEntry,
    read_head,
)
from natster_tui.store.sealing.key_file import KeyFile, key_of_text, keys_of_ring, new_key
from natster_tui.text.safe_text import safe_text

LOOK_AGAIN_S = 1.0
"""How often at most a key that was looked for in vain is looked for again."""

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no key of an id."""

    reason: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it is stored: whose it is, under which key it is wrapped, where it stands."""

    account: str
    id: str
    kek: str
    stored: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Tombstone:
    """That the data keys of an account were destroyed. `at` is unix seconds.

    `kek` is the id of the key-encryption key that seals it, `under` those that may have wrapped
    what was destroyed: while one of them exists, a backup of the bucket still opens.
    """

    account: str
    keys: tuple[str, ...]
    at: int
    under: tuple[str, ...]
    revision: int
    kek: str


class Keyring:
    """The keys behind a link, as of the last `refresh`. `key_file` None: nothing can be opened."""

    def __init__(self, link: Link, key_file: KeyFile | None, instance: str) -> None:
        self.bucket = KeyBucket(link, instance)
        self.key_file = key_file
        self.head: Head | None = None
        self.problem = ""
        """Why the keys cannot be used at all, empty if they can."""
        self.wrapped: dict[str, WrappedKey] = {}
        """By key id."""
        self.tombstones: dict[str, Tombstone] = {}
        """The authentic ones, by account."""
        self._of_account: dict[str, str] = {}
        self._keks: tuple[Key, ...] = ()
        self._keys: dict[str, Key] = {}
        """Those that were unwrapped, by id."""
        self._by_head: dict[bytes, Key] = {}
        """The same, by what everything begins with that is sealed under them."""
        self._missing: dict[str, Missing] = {}
        self._erased: dict[str, str] = {}
        self._unbelieved: dict[str, KeyEntry] = {}
        self._created = ""
        self._revision = 0
        self._file_version = (0, 0, 0)
        self._sought: dict[str, float] = {}
        self.version = 0
        """Counts the times that something changed about what can be opened."""
        self._lacks_head = False
        self._denied = False
        self._busy = asyncio.Lock()

    # -- what is known ---------------------------------------------------------------------

    @property
    def available(self) -> bool:
        """Whether data keys can be unwrapped here."""
        return bool(self._keks)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the keys, a sentence each."""
        found = [self.problem] if self.problem else []
        found += [self.out_of_date] if self.out_of_date else []
        found += [
            f"the tombstone of {safe_text(account, 80)} in {BUCKET} is not authentic, and is not "
            "believed: somebody else wrote it, or the key file is an old one"
            for account in self._unbelieved
            if self.available
        ]
        return tuple(found)

    @property
    def out_of_date(self) -> str:
        """That the key file lacks the key that wraps now, in a sentence; empty if it is there.

        What older keys wrapped opens all the same, but of what was erased nothing is known.
        """
        head = self.head
        if head is None or not self._keks or any(kek.id == head.kek for kek in self._keks):
            return ""
        return (
            f"the key file {self.key_file} is out of date: {BUCKET} is wrapped with the "
            f"key-encryption key {head.kek} now; put the newest key file in its place"
        )

    @property
    def digest(self) -> str:
        """The digest of the authentic tombstones, which is an input of the fold; empty if none."""
        if not self.tombstones:
            return ""
        told = hashlib.sha256()
        for account, tombstone in sorted(self.tombstones.items()):
            for part in (account, *sorted(tombstone.keys)):
                told.update(len(part).to_bytes(8, "big") + part.encode())
        return told.hexdigest()

    @property
    def keks(self) -> tuple[str, ...]:
        """The ids of the key-encryption keys that the key file holds for this keyring."""
        return tuple(key.id for key in self._keks)

    def key_of(self, account: str) -> Key | None:
        """The data key with which an account's values are sealed now; None if there is none."""
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

    def key_for(self, stored: bytes) -> Key | None:
        """The data key that a value is sealed under, if it is at hand; else `find` it."""
        return self._by_head.get(stored[:HEAD_BYTES])

    def find(self, key_id: str) -> Key | Missing:
        """The data key of an id, or why there is none."""
        found = self._keys.get(key_id) or self._missing.get(key_id)
        if found is None:
            found = self._unwrap(key_id)
            if isinstance(found, Key):
                self._hold(found)
            else:
                self._missing[key_id] = found
        return found

    def _hold(self, key: Key) -> None:
        self._keys[key.id] = self._by_head[key.head] = key

    def _drop(self, key_id: str) -> None:
        key = self._keys.pop(key_id, None)
        if key is not None:
            del self._by_head[key.head]

    def _unwrap(self, key_id: str) -> Key | Missing:
        if key_id in self._erased:
            # Even where its entry is still there: an erasure that began is an erasure.
            return Missing(f"the keys of {self._erased[key_id]} were erased", erased=True)
        wrapped = self.wrapped.get(key_id)
        if self.problem:
            return Missing(self.problem)
        if wrapped is None:
            return Missing(
                f"{BUCKET} does not hold it, and no authentic tombstone says that it was erased"
            )
        kek = next((kek for kek in self._keks if kek.id == wrapped.kek), None)
        if kek is None:
            return Missing(
                f"it is wrapped with the key-encryption key {wrapped.kek}, which {self.key_file} "
                "does not hold"
            )
        assert self.head is not None
        try:
            raw = kek.open(wrapped.stored, "data key", self.head.ring, wrapped.account, wrapped.id)
            key = Key(raw)
        except (OpenError, ValueError) as error:
            return Missing(f"its entry in {BUCKET} does not unwrap: {error}")
        if key.id != key_id:
            return Missing(f"its entry in {BUCKET} holds another key")
        return key

    # -- looking ---------------------------------------------------------------------------

    async def refresh(self) -> bool:
        """Read what came in since; whether anything changed about what can be opened.

        New data keys alone are no such change: they are simply found from now on.
        """
        async with self._busy:
            return await self._refresh()

    async def _refresh(self) -> bool:
        if self._denied:
            return False
        before = (self.digest, self.problem, self.out_of_date)
        sources = (self._created, self._revision, self._file_version)
        waited = [name for name, missing in self._missing.items() if not missing.erased]
        try:
            await self._read_bucket()
            while self._read_key_file():
                # A key leaves the file when nothing is wrapped with it any more: that is to be
                # seen before anything is said to be wrapped with a key that is not there.
                await self._read_bucket()
        except DeniedError as error:
            # Not asked again on this link: every time would be told as a problem of its own.
            self._forget()
            self._denied, self.problem = True, error.sentence
        moved = sources != (self._created, self._revision, self._file_version)
        found_more = moved and any(isinstance(self.find(name), Key) for name in waited)
        replaced = sources[0] not in ("", self._created)
        after = (self.digest, self.problem, self.out_of_date)
        changed = replaced or found_more or before != after
        self.version += changed
        return changed

    async def _read_bucket(self) -> None:
        created, last = await self.bucket.newest() or ("", 0)
        if created != self._created:
            # Deleted, and perhaps made again.
            self._forget()
            self._created = created
        if last > self._revision:
            await self._read(last)

    async def look_for(self, key_ids: Iterable[str]) -> None:
        """Look whether keys that are not known have come in.

        At once for one that was never looked for: it was stored before anything was sealed with it.
        """
        now = time.monotonic()
        unknown = [
            name
            for name in key_ids
            if name not in self.wrapped and now - self._sought.get(name, 0.0) >= LOOK_AGAIN_S
        ]
        if unknown:
            await self.refresh()
            self._sought.update(dict.fromkeys(unknown, time.monotonic()))

    def _forget(self) -> None:
        self.head, self._created, self._revision, self._keks = None, "", 0, ()
        self.wrapped, self._of_account = {}, {}
        self._keys, self._by_head, self._missing, self._erased = {}, {}, {}, {}
        self.tombstones, self._unbelieved = {}, {}

    async def _read(self, upto: int) -> None:
        entries = await self.bucket.entries_after(self._revision, upto)
        for name, entry in entries.items():
            self._revision = max(self._revision, entry.revision)
            if name == KEYRING_ENTRY:
                self.head = read_head(entry)
                self._lacks_head = self.head is None
            elif name.startswith(TOMBSTONE_PREFIX):
                self._unbelieved[name.removeprefix(TOMBSTONE_PREFIX)] = entry
            else:
                self._take_wrapped(name, entry)
        self._revision = max(self._revision, upto)
        self._missing.clear()

    def _take_wrapped(self, name: str, entry: KeyEntry) -> None:
        account, _, key_id = name.rpartition(".")
        try:
            kek = key_id_of(entry.value)
        except OpenError:
            kek = "unknown"
        self.wrapped[key_id] = WrappedKey(account, key_id, kek, entry.value, entry.revision)
        self._drop(key_id)
        self._of_account[account] = key_id

    def _read_key_file(self) -> bool:
        """The key-encryption keys, when file or keyring changed; then what they open.

        Returns whether it was the file that changed.
        """
        file = self.key_file
        version = (0, 0, 0) if file is None else file.version()
        file_changed = version != self._file_version
        if version != self._file_version or not self._keks:
            self._file_version = version
            self._keks, self.problem = (), ""
            self._keys, self._by_head = {}, {}
            self._missing.clear()
            if self.head is not None:
                self._keks, self.problem = keys_of_ring(file, self.head.ring)
            elif self._revision and (self.wrapped or self._unbelieved or self._lacks_head):
                self.problem = (
                    f"{BUCKET} holds keys, but no readable entry {KEYRING_ENTRY} that says which "
                    "keyring they are of: restore the bucket from a backup"
                )
        for account, entry in list(self._unbelieved.items()):
            tombstone = self._authentic(account, entry)
            if tombstone is not None:
                self.tombstones[account] = tombstone
                del self._unbelieved[account]
        self._bury()
        return file_changed

    def _bury(self) -> None:
        """Forget the keys that tombstones name."""
        for account, tombstone in self.tombstones.items():
            for key_id in tombstone.keys:
                if key_id not in self._erased:
                    self._erased[key_id] = safe_text(account, 80)
                    self._drop(key_id)
                    self._missing.pop(key_id, None)
            if self._of_account.get(account) in tombstone.keys:
                del self._of_account[account]

    def _authentic(self, account: str, entry: KeyEntry) -> Tombstone | None:
        if self.head is None:
            return None
        try:
            kek_id = key_id_of(entry.value)
            kek = next((kek for kek in self._keks if kek.id == kek_id), None)
            if kek is None:
                return None
            value = json.loads(kek.open(entry.value, "tombstone", self.head.ring, account))
            # The earliest ones did not say under what the keys had been wrapped.
            keys, under = tuple(map(str, value["keys"])), tuple(map(str, value.get("under", ())))
            return Tombstone(account, keys, int(value["at"]), under, entry.revision, kek_id)
        except (OpenError, ValueError, KeyError, TypeError):
            return None

    # -- writing ---------------------------------------------------------------------------

    async def ensure(self, accounts: Iterable[str], replicas: int) -> None:
        """Make the data keys that are missing, acknowledged before this returns.

        Raises RefusedError when none may be made here.
        """
        wanted = list(dict.fromkeys(accounts))
        if not all(map(self._has, wanted)):
            async with self._busy:
                await self._ensure(wanted, replicas)

    def _has(self, account: str) -> bool:
        return account in self._of_account

    async def _ensure(self, wanted: list[str], replicas: int) -> None:
        lost = 0
        while missing := [account for account in wanted if not self._has(account)]:
            try:
                if self.head is None:
                    await self._begin(replicas)
                else:
                    await self._make(missing[:ENTRIES_AT_ONCE])
            except ConflictError:
                lost += 1
                if lost >= _TRIES:
                    raise
                await self._refresh()
            except ServerError:
                # Whether it landed is not known; the bucket tells next time.
                self._created = ""
                raise

    async def _begin(self, replicas: int) -> None:
        """Make the bucket and its first key-encryption key."""
        file = self.key_file
        if file is None:
            raise RefusedError("nothing can be sealed without a key file: name one with --key-file")
        await self.bucket.create(replicas)
        await self._refresh()
        if self.head is not None:
            return
        if self.problem:
            raise RefusedError(self.problem)
        file.create()
        ring, written = f"r{secrets.token_hex(8)}", new_key()
        with file.locked():
            file.set_keyring(ring, [written])
        kek = key_of_text(written)
        try:
            await self.bucket.write({}, Head(ring, kek.id, 0))
        except ConflictError:
            with file.locked():
                file.set_keyring(ring, [])
            raise
        await self._refresh()

    async def _make(self, accounts: list[str]) -> None:
        kek = self.wrapping_key()
        assert self.head is not None
        made = []
        for account in accounts:
            key = Key.new()
            made.append((account, key, self.wrap(kek, account, key)))
        revision = await self.bucket.write(
            {f"{account}.{key.id}": (stored, 0) for account, key, stored in made}, self.head
        )
        self.head = Head(self.head.ring, self.head.kek, revision)
        if revision - self._revision != len(made) + 1:
            await self._refresh()
            return
        # Nobody wrote in between, so this is what a look at the bucket would show.
        self._revision = revision
        for number, (account, key, stored) in enumerate(made, revision - len(made)):
            self.wrapped[key.id] = WrappedKey(account, key.id, kek.id, stored, number)
            self._hold(key)
            self._missing.pop(key.id, None)
            self._of_account[account] = key.id

    def wrapping_key(self) -> Key:
        """The key-encryption key that wraps now; raises RefusedError when it is not here."""
        if self.head is None or not self._keks:
            raise RefusedError(self.problem or f"{BUCKET} has no keyring yet")
        for kek in self._keks:
            if kek.id == self.head.kek:
                return kek
        raise RefusedError(self.out_of_date)

    def wrap(self, kek: Key, account: str, key: Key) -> bytes:
        """A data key in its stored form."""
        assert self.head is not None
        return kek.seal(key.raw, "data key", self.head.ring, account, key.id)

    def tombstone_revision(self, account: str) -> int:
        """The revision of the account's tombstone, authentic or not; 0 if there is none."""
        entry = self.tombstones.get(account) or self._unbelieved.get(account)
        return 0 if entry is None else entry.revision

    def is_unfinished(self, tombstone: Tombstone) -> bool:
        """Whether that erasure was interrupted before the key file lost its old keys."""
        return not set(tombstone.under).isdisjoint(self.keks)

    def is_erased(self, key_id: str) -> bool:
        """Whether an authentic tombstone names this key."""
        return key_id in self._erased
