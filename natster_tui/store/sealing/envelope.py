"""The sealed form of a value, specified so that it can be implemented elsewhere.

A sealed value is

    magic      4 bytes    F5 4E 53 4C      (0xF5 begins no UTF-8 text, so no JSON either)
    version    1 byte     01
    key id     1 byte length, then that many ASCII bytes
    nonce      12 bytes   random, from the operating system
    sealed     n + 16     AES-256-GCM of the value, with its tag

The associated data binds the value to its place. It is the magic and version, the key id, and the
parts of the place. Each part (and the key id) follows its length in eight bytes, big-endian. All
text is UTF-8:

    an event's payload      "event", subject, Nats-Msg-Id (empty when there is none)
    a projection's entry    "document", bucket, bucket key
    a wrapped data key      "data key", keyring id, account, the data key's id
    a tombstone             "tombstone", keyring id, account

A key is 32 random bytes. Its id is "k" and the first 16 hexadecimal digits of
SHA-256("natster-tui key id" || 00 || key), so that a wrong key is noticed before it is used.
AES-GCM alone does not commit to a key.

Test vectors (key: bytes 00 to 1f; nonce: bytes 40 to 4b):

    key id       kab0247192926d9b4
    event, place ("event", "natster.events.AAA.none.none.context_bound", "m1"), value {"a":1}:
                 f54e534c01116b61623032343731393239323664396234404142434445464748
                 494a4b999bcf011c0dfaa8b60522915dbab468b2dd24b8d2099e
    document, place ("document", "PROJ_ACCOUNT", "AAA"), empty value:
                 f54e534c01116b61623032343731393239323664396234404142434445464748
                 494a4bb7702ac1040ca5aa1ce8bf0592f57429
"""

from __future__ import annotations

import hashlib
import os
from enum import StrEnum
from struct import Struct
from weakref import ref

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"\xf5NSL"
VERSION = 1
KEY_BYTES = 32

_HEAD = len(MAGIC) + 2
_NONCE_BYTES = 12
_TAG_BYTES = 16
_MOST_KEY_ID = 64
HEAD_BYTES = _HEAD + 17
"""The size of every key's `head` in bytes; a sealed value may hold a key id of another length."""
_LENGTH = Struct(">Q").pack


class OpenProblem(StrEnum):
    """Why a sealed value could not be opened, in the words that are shown."""

    TRUNCATED = "truncated: it ends within the envelope"
    UNKNOWN_VERSION = "of an envelope version that this program does not know"
    WRONG_KEY = "sealed with another key than the one it was tried with"
    ALTERED = "altered, or moved here from another place"


class OpenError(ValueError):
    """A sealed value cannot be opened; `problem` says why."""

    def __init__(self, problem: OpenProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


CIPHERS_KEPT = 2_048
"""How many keys keep their cipher. One takes 2.7 KB outside of Python's objects, and a log may have
a hundred thousand keys; without it each use of a key takes 2 microseconds longer."""

_with_cipher: list[ref[Key]] = []


class Key:
    """A key with its id. Every value sealed with it begins with `head`."""

    __slots__ = ("__weakref__", "_cipher", "head", "id", "raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self.raw = raw
        self.id = key_id(raw)
        self._cipher: AESGCM | None = None
        name = self.id.encode()
        self.head = MAGIC + bytes((VERSION, len(name))) + name

    def __repr__(self) -> str:
        # Never the key itself: tracebacks and test reports print values.
        return f"Key({self.id})"

    @classmethod
    def new(cls) -> Key:
        """A random key."""
        return cls(os.urandom(KEY_BYTES))

    @property
    def cipher(self) -> AESGCM:
        """The cipher, set up when it is first used."""
        if self._cipher is None:
            if len(_with_cipher) >= CIPHERS_KEPT:
                for each in _with_cipher:
                    if (key := each()) is not None:
                        key._cipher = None
                _with_cipher.clear()
            self._cipher = AESGCM(self.raw)
            _with_cipher.append(ref(self))
        return self._cipher

    def seal(self, value: bytes, *place: str, nonce: bytes | None = None) -> bytes:
        """The sealed form of a value at its place. `nonce` is for test vectors only."""
        if nonce is None:
            nonce = os.urandom(_NONCE_BYTES)
        sealed = self.cipher.encrypt(nonce, value, self._associated(place))
        return b"".join((self.head, nonce, sealed))

    def open(self, stored: bytes, *place: str) -> bytes:
        """Open a sealed value; raises OpenError."""
        if not stored.startswith(self.head):
            key_id_of(stored)
            raise OpenError(OpenProblem.WRONG_KEY)
        nonce_at = len(self.head)
        sealed_at = nonce_at + _NONCE_BYTES
        if len(stored) < sealed_at + _TAG_BYTES:
            raise OpenError(OpenProblem.TRUNCATED)
        associated = self._associated(place)
        try:
            return self.cipher.decrypt(stored[nonce_at:sealed_at], stored[sealed_at:], associated)
        except InvalidTag:
            raise OpenError(OpenProblem.ALTERED) from None

    def _associated(self, place: tuple[str, ...]) -> bytes:
        # Not kept for each key: a log may have a hundred thousand of them.
        head = self.head
        parts = [head[: _HEAD - 1], _LENGTH(len(head) - _HEAD), head[_HEAD:]]
        for text in place:
            part = text.encode("utf-8", "surrogatepass")
            parts += (_LENGTH(len(part)), part)
        return b"".join(parts)


def is_sealed(stored: bytes) -> bool:
    """Whether a stored value claims to be sealed."""
    return stored.startswith(MAGIC)


def key_id_of(stored: bytes) -> str:
    """The id of the key that a value is sealed with, without opening it; raises OpenError."""
    if len(stored) < _HEAD:
        raise OpenError(OpenProblem.TRUNCATED)
    if stored[len(MAGIC)] != VERSION:
        raise OpenError(OpenProblem.UNKNOWN_VERSION)
    end = _HEAD + stored[len(MAGIC) + 1]
    if len(stored) < end + _NONCE_BYTES + _TAG_BYTES:
        raise OpenError(OpenProblem.TRUNCATED)
    name = stored[_HEAD:end].decode("ascii", "replace")
    if len(name) > _MOST_KEY_ID or not name.isalnum():
        raise OpenError(OpenProblem.ALTERED)
    return name


def key_id(raw: bytes) -> str:
    """The id of a key."""
    return f"k{hashlib.sha256(b'natster-tui key id' + bytes(1) + raw).hexdigest()[:16]}"
