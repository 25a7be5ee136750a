"""The keys of a system: the bucket `NATSTER_KEYS` and the key file together.

Each account has one data key. It is wrapped with a key-encryption key from the key file, bound to
the keyring, the account and its own id, and stored in `key_bucket`. `key_table` holds the keys that
were read, `key_making` creates missing data keys, and `key_rotation` replaces and destroys keys.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from natster_tui.errors import DeniedError, NatsterError, RefusedError
from natster_tui.events.system import EventSystem
from natster_tui.store.connection.link import Link
from natster_tui.store.sealing.envelope import Key
from natster_tui.store.sealing.key_bucket import BUCKET, KEYRING_ENTRY, Head, KeyBucket, KeyEntry
from natster_tui.store.sealing.key_file import KeyFile, keys_of_ring
from natster_tui.store.sealing.key_records import WrappedKey, wrap
from natster_tui.store.sealing.key_table import KeyTable
from natster_tui.store.sealing.sealed_events import holds_sealed_events
from natster_tui.text.safe_text import safe_text

LOOK_UP_AGAIN_S = 1.0
"""The least number of seconds between two attempts to find a missing key."""


class Keyring(KeyTable):
    """The keys, as of the last `refresh`. Without a `key_file` (None) nothing can be opened.

    `log` is the system whose events they seal. If its stream holds sealed events, missing keys
    were lost, and no new ones are created instead.
    """

    def __init__(
        self, link: Link, key_file: KeyFile | None, instance: str, log: EventSystem | None = None
    ) -> None:
        super().__init__(key_file)
        self._log = log
        self._log_is_sealed = False
        self.bucket = KeyBucket(link, instance)
        self.version = 0
        """Counts the changes of what can be opened."""
        self.busy = asyncio.Lock()
        """Held while the keyring reads or adds keys."""
        self._created: str | None = None
        """When the bucket was made; empty if there is none, None before the first read."""
        self._revision = 0
        self._file_version = (0, 0, 0)
        self._ring: str | None = None
        """The keyring whose keys were last read from the key file."""
        self._looked_up: dict[str, float] = {}
        self.denied: DeniedError | None = None
        """The error if the server does not permit us to read the keys over this link."""

    # -- what is wrong -----------------------------------------------------------------------

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems with the keys, a sentence each."""
        found = [self.problem] if self.problem else []
        found += [self.out_of_date] if self.out_of_date else []
        found += [
            f"the tombstone of {safe_text(account, 80)} in {BUCKET} is not authentic, and is "
            "ignored: another program wrote it, or the key file is an old one"
            for account in self.forged
        ]
        return tuple(found)

    @property
    def out_of_date(self) -> str:
        """A sentence if the key file lacks the key that wraps now; empty if it has it.

        Data keys wrapped with older keys can still be opened, but erasures cannot be read.
        """
        if self.head is None or not self.available or self.current_kek() is not None:
            return ""
        return (
            f"the key file {self.key_file} is out of date: {BUCKET} is wrapped with the "
            f"key-encryption key {self.head.kek} now; put the newest key file in its place"
        )

    # -- reading -----------------------------------------------------------------------------

    async def refresh(self) -> bool:
        """Read new entries; returns whether what can be opened has changed.

        New data keys alone do not count as a change.
        """
        async with self.busy:
            return await self.refresh_while_busy()

    async def refresh_while_busy(self) -> bool:
        """The same as `refresh`, for a caller that holds `busy`."""
        if self.denied is not None:
            return False
        before = (self.digest, self.problem, self.out_of_date)
        sources = (self._created, self._revision, self._file_version)
        waited = self.missing_keys()
        try:
            while True:
                before_bucket = self._version_of_file()
                await self._read_bucket()
                self._read_key_file()
                # A key leaves the file only when nothing is wrapped with it. So if the file has
                # changed, read again before reporting an entry whose key is missing.
                if self._file_version == before_bucket:
                    break
        except DeniedError as error:
            # Do not ask again on this link: each denial would be reported as a new problem.
            self.forget()
            self._created, self._revision = None, 0
            self.denied, self.problem = error, error.sentence
        moved = sources != (self._created, self._revision, self._file_version)
        found_more = moved and any(isinstance(self.find(name), Key) for name in waited)
        replaced = bool(sources[0]) and sources[0] != self._created
        after = (self.digest, self.problem, self.out_of_date)
        changed = replaced or found_more or before != after
        self.version += changed
        return changed

    async def look_up(self, key_ids: Iterable[str]) -> None:
        """Read the bucket again if one of these keys is unknown: it may have been added.

        A key that was never looked up is looked up at once: it was stored before it was used.
        """
        now = time.monotonic()
        unknown = [
            name
            for name in key_ids
            if name not in self.wrapped and now - self._looked_up.get(name, 0.0) >= LOOK_UP_AGAIN_S
        ]
        if unknown:
            await self.refresh()
            self._looked_up.update(dict.fromkeys(unknown, time.monotonic()))

    def invalidate(self) -> None:
        """Read everything again next time, because the last write may be stored or not."""
        self._created = None

    async def _read_bucket(self) -> None:
        entries: dict[str, KeyEntry] | None = None
        if self._created is None:
            # All of it is needed: one round trip instead of two.
            created, last, entries = await self.bucket.everything() or ("", 0, {})
        else:
            created, last = await self.bucket.newest() or ("", 0)
        is_another = created != self._created
        if is_another:
            # Deleted, and perhaps made again.
            self.forget()
            self._revision = 0
        if last > self._revision:
            if entries is None or self._revision:
                entries = await self.bucket.entries_after(self._revision, last)
            self.add_entries(entries)
            self._revision = max([last, *(entry.revision for entry in entries.values())])
        if is_another:
            self._log_is_sealed = self.is_empty and await self._has_sealed_log()
            self._created = created

    async def _has_sealed_log(self) -> bool:
        link = self.bucket.link
        return self._log is not None and await holds_sealed_events(link, self._log)

    def _version_of_file(self) -> tuple[int, int, int]:
        return (0, 0, 0) if self.key_file is None else self.key_file.version()

    def _read_key_file(self) -> None:
        """Read the key-encryption keys if the file or the keyring changed, and use them."""
        file = self.key_file
        version = self._version_of_file()
        file_changed = version != self._file_version
        ring = None if self.head is None else self.head.ring
        if file_changed or ring != self._ring or not self.available:
            self._file_version, self._ring = version, ring
            if self.head is not None:
                self.unlock(*keys_of_ring(file, self.head.ring))
            else:
                self.lock(self._why_unusable())
        self.verify_tombstones()

    def _why_unusable(self) -> str:
        """Why there is no keyring although there should be one; empty before the first key."""
        if self.has_damaged_head:
            return (
                f"the entry {KEYRING_ENTRY} of {BUCKET} is damaged, which says which keyring the "
                "keys are of: restore the bucket from a backup"
            )
        if not self.is_empty:
            return (
                f"{BUCKET} holds keys, but the entry {KEYRING_ENTRY} is missing, which says which "
                "keyring they are of: restore the bucket from a backup"
            )
        if self._log is not None and self._log_is_sealed:
            what = "is empty" if self._created else "is missing"
            return (
                f"{BUCKET} {what}, but {self._log.stream} holds sealed events: restore the bucket "
                "from a backup; until then nothing more is sealed"
            )
        return ""

    # -- writing -----------------------------------------------------------------------------

    def refusal(self, sentence: str) -> NatsterError:
        """Why the keys cannot be used, as an error: the server's denial, or our own refusal."""
        return RefusedError(sentence) if self.denied is None else DeniedError(sentence)

    def wrapping_key(self) -> Key:
        """The key-encryption key that wraps now; raises `refusal` if it is missing."""
        if self.head is None or not self.available:
            raise self.refusal(self.problem or f"{BUCKET} has no keyring yet")
        kek = self.current_kek()
        if kek is None:
            raise RefusedError(self.out_of_date)
        return kek

    def wrap(self, kek: Key, account: str, key: Key) -> bytes:
        """A data key in its stored form."""
        assert self.head is not None
        return wrap(kek, self.head.ring, account, key)

    async def add(self, made: list[tuple[str, Key]]) -> None:
        """Store new data keys, by account, and add them. Raises ConflictError, ServerError.

        The caller must hold `busy`.
        """
        kek = self.wrapping_key()
        assert self.head is not None
        stored = {f"{account}.{key.id}": self.wrap(kek, account, key) for account, key in made}
        entries = {name: (value, 0) for name, value in stored.items()}
        revision = await self.bucket.write(entries, self.head)
        self.head = Head(self.head.ring, self.head.kek, revision)
        if revision - self._revision != len(made) + 1:
            await self.refresh_while_busy()
            return
        # No other write came in between, so a read of the bucket would give the same.
        self._revision = revision
        for number, (account, key) in enumerate(made, revision - len(made)):
            value = stored[f"{account}.{key.id}"]
            self.adopt(WrappedKey(account, key.id, kek.id, value, number), key)
