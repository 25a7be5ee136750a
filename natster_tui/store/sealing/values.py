"""Sealing payloads and documents before they are stored, and opening them again.

Only the log and the buckets use a `Sealing`, for every value. A value is sealed with the data key
of one account: an event's payload with its origin's key, an account's document with the account's
key, and a catalog's with its owner's. Empty and `null` payloads are not sealed, because their
subject says everything. Sealed values are opened whatever the log's metadata says: a log may hold
both plain and sealed events.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from natster_tui.errors import RefusedError
from natster_tui.events.event import MESSAGE_ID, Record
from natster_tui.events.sealed_payload import Seal, Unopened
from natster_tui.events.tokens import NO_ACCOUNT, is_usable_token
from natster_tui.store.sealing.envelope import (
    Key,
    OpenError,
    OpenProblem,
    is_sealed,
    key_id_of,
)
from natster_tui.store.sealing.key_making import ensure_keys
from natster_tui.store.sealing.key_records import Missing
from natster_tui.store.sealing.key_table import KeyTable
from natster_tui.store.sealing.keyring import Keyring

_STORED_AS_THEY_ARE = (b"", b"null")
_NO_KEYS = "no keys are in use here"


class OpenedDocument(NamedTuple):
    """A stored document: its content, whether it was sealed, and why it did not open, if so."""

    value: bytes
    sealed: bool = False
    unopened: str = ""


class Sealing(Protocol):
    """Converts values to their stored form and back."""

    @property
    def keyring(self) -> Keyring | None:
        """The keys, if there can be any."""

    @property
    def seals(self) -> bool:
        """Whether what we write is sealed."""

    @property
    def seal_problem(self) -> str:
        """Why nothing can be sealed here; empty if it can."""

    @property
    def tombstones(self) -> str | None:
        """The digest of the erasures that the fold of this log depends on; empty if there are none.

        None without the keys to check that they are authentic.
        """

    @property
    def is_denied(self) -> bool:
        """Whether the server does not permit us to read the keys."""

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems with the keys, a sentence each."""

    @property
    def version(self) -> int:
        """Counts the changes of what can be opened."""

    async def refresh(self) -> bool:
        """Read the keys again; returns whether what can be opened has changed."""

    async def ready_for(self, accounts: Iterable[str]) -> None:
        """Get a key for every account whose values will be sealed. Raises RefusedError."""

    def seal_payload(self, subject: str, message_id: str, payload: bytes) -> bytes:
        """The stored form of an event's payload. Call `ready_for` with its origin first."""

    async def open_records(self, records: list[Record]) -> list[Record]:
        """The records with opened payloads; one that cannot be opened says why."""

    def seal_document(self, bucket: str, key: str, account: str, document: bytes) -> bytes:
        """The stored form of a projection's entry. Call `ready_for` with the account first."""

    def open_document(self, bucket: str, key: str, stored: bytes) -> OpenedDocument:
        """An entry from its stored form."""


def origin_of(subject: str) -> str:
    """The account whose key seals an event's payload."""
    tokens = subject.split(".", 3)
    origin = tokens[2] if len(tokens) > 2 else ""
    return origin if is_usable_token(origin) else NO_ACCOUNT


def is_sealable(payload: bytes) -> bool:
    """Whether to seal a payload: not if it is empty, `null` or already sealed."""
    return payload.strip() not in _STORED_AS_THEY_ARE and not is_sealed(payload)


class KeyringSealing:
    """Sealing with a keyring. Without `seals` it opens sealed values, and writes plain ones."""

    def __init__(self, keyring: Keyring, *, seals: bool) -> None:
        self._keyring = keyring
        self.seals = seals

    @property
    def keyring(self) -> Keyring:
        """See `Sealing`."""
        return self._keyring

    @property
    def seal_problem(self) -> str:
        """See `Sealing`."""
        if not self.seals:
            return ""
        if self.keyring.key_file is None:
            return "nothing can be sealed without a key file: name one with --key-file"
        return self.keyring.problem or self.keyring.out_of_date

    @property
    def tombstones(self) -> str | None:
        """See `Sealing`."""
        unverified = self.keyring.problem or self.keyring.out_of_date
        return None if unverified else self.keyring.digest

    @property
    def is_denied(self) -> bool:
        """See `Sealing`."""
        return self.keyring.denied is not None

    @property
    def problems(self) -> tuple[str, ...]:
        """See `Sealing`."""
        return self.keyring.problems

    @property
    def version(self) -> int:
        """See `Sealing`."""
        return self.keyring.version

    async def refresh(self) -> bool:
        """See `Sealing`."""
        return await self.keyring.refresh()

    async def ready_for(self, accounts: Iterable[str]) -> None:
        """See `Sealing`."""
        if self.seals:
            await ensure_keys(self.keyring, accounts)

    def seal_payload(self, subject: str, message_id: str, payload: bytes) -> bytes:
        """See `Sealing`. A payload that is already sealed, as in an import, is not changed."""
        if not (self.seals and is_sealable(payload)):
            return payload
        return self._key_of(origin_of(subject)).seal(payload, "event", subject, message_id)

    def seal_document(self, bucket: str, key: str, account: str, document: bytes) -> bytes:
        """See `Sealing`."""
        if not self.seals:
            return document
        return self._key_of(account).seal(document, "document", bucket, key)

    def _key_of(self, account: str) -> Key:
        key = self.keyring.key_of(account)
        if key is None:
            raise RefusedError(f"there is no data key for {account}: its keys were just erased")
        return key

    async def open_records(self, records: list[Record]) -> list[Record]:
        """See `Sealing`."""
        sealed = [at for at, record in enumerate(records) if is_sealed(record.payload)]
        if not sealed:
            return records
        key_for = self._keyring.key_for
        unknown = [stored for at in sealed if not key_for(stored := records[at].payload)]
        named = [_key_id(stored) for stored in unknown]
        await self.keyring.look_up(key_id for key_id in named if isinstance(key_id, str))
        opened = list(records)
        for at in sealed:
            opened[at] = open_record(self.keyring, records[at])
        return opened

    def open_document(self, bucket: str, key: str, stored: bytes) -> OpenedDocument:
        """See `Sealing`."""
        if not is_sealed(stored):
            return OpenedDocument(stored)
        value, seal = _open(self.keyring, stored, ("document", bucket, key))
        if seal.unopened is not None:
            return OpenedDocument(stored, sealed=True, unopened=seal.reason)
        return OpenedDocument(value, sealed=True)


def open_record(keys: KeyTable, record: Record) -> Record:
    """A sealed record, opened with these keys; if it cannot be opened, it says why."""
    place = ("event", record.subject, record.header(MESSAGE_ID) or "")
    return _with_payload(record, *_open(keys, record.stored, place))


def _open(keys: KeyTable, stored: bytes, place: tuple[str, ...]) -> tuple[bytes, Seal]:
    """The value (empty if it cannot be opened), and the state of its seal."""
    key = keys.key_for(stored) or _find(keys, stored)
    if isinstance(key, Seal):
        return b"", key
    try:
        return key.open(stored, *place), Seal(stored, key.id)
    except OpenError as error:
        return b"", Seal(stored, key.id, Unopened.UNREADABLE, f"it is {error}")


def _find(keys: KeyTable, stored: bytes) -> Key | Seal:
    """The key that a value is sealed with, or why it cannot be opened."""
    key_id = _key_id(stored)
    if isinstance(key_id, Seal):
        return key_id
    key = keys.find(key_id)
    if isinstance(key, Missing):
        kind = Unopened.ERASED if key.erased else Unopened.UNAVAILABLE
        return Seal(stored, key_id, kind, key.reason)
    return key


def _key_id(stored: bytes) -> str | Seal:
    """The id of the key that a value is sealed with, or why it has none."""
    try:
        return key_id_of(stored)
    except OpenError as error:
        # A later version may open an unknown envelope version; the other errors are permanent.
        later = error.problem is OpenProblem.UNKNOWN_VERSION
        kind = Unopened.UNAVAILABLE if later else Unopened.UNREADABLE
        return Seal(stored, "", kind, f"it is {error}")


def _with_payload(record: Record, payload: bytes, seal: Seal) -> Record:
    return Record(record.seq, record.time_ns, record.subject, payload, record.stored_headers, seal)


def _closed(record: Record) -> Record:
    stored = record.payload
    named = _key_id(stored)
    key_id = named if isinstance(named, str) else ""
    seal = Seal(stored, key_id, Unopened.UNAVAILABLE, _NO_KEYS)
    return _with_payload(record, b"", seal)


class PlainSealing:
    """No keys: values are written plain, and sealed ones cannot be opened."""

    keyring: Keyring | None = None
    seals = False
    version = 0
    seal_problem = ""
    tombstones: str | None = ""
    problems: tuple[str, ...] = ()
    is_denied = False

    async def refresh(self) -> bool:
        """See `Sealing`."""
        return False

    async def ready_for(self, accounts: Iterable[str]) -> None:
        """See `Sealing`."""

    def seal_payload(self, _subject: str, _message_id: str, payload: bytes) -> bytes:
        """See `Sealing`."""
        return payload

    async def open_records(self, records: list[Record]) -> list[Record]:
        """See `Sealing`."""
        return [_closed(record) if is_sealed(record.payload) else record for record in records]

    def seal_document(self, _bucket: str, _key: str, _account: str, document: bytes) -> bytes:
        """See `Sealing`."""
        return document

    def open_document(self, _bucket: str, _key: str, stored: bytes) -> OpenedDocument:
        """See `Sealing`."""
        if is_sealed(stored):
            return OpenedDocument(stored, sealed=True, unopened=_NO_KEYS)
        return OpenedDocument(stored)
