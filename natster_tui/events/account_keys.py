"""NATS account public keys: 32 bytes as the 56 characters that name an account in a subject.

The nkeys format: a prefix byte that says what kind of key it is, the key, and a CRC-16
(XMODEM, little-endian) of both, in base32 without padding. 35 bytes are exactly 56 characters,
so every account key begins with AA, AB, AC or AD and none has spare bits.
"""

from __future__ import annotations

import base64
import re
from binascii import crc_hqx

_RAW_LENGTH = 32
_TEXT_LENGTH = 56
_CHECKSUM_LENGTH = 2
_ACCOUNT_PREFIX = 0
_BASE32 = re.compile(r"[A-Z2-7]*")


def encode_account_key(raw32: bytes) -> str:
    """Encode 32 bytes as an account key; raises ValueError for another length."""
    if len(raw32) != _RAW_LENGTH:
        raise ValueError(f"an account key is made of {_RAW_LENGTH} bytes, not {len(raw32)}")
    body = bytes((_ACCOUNT_PREFIX,)) + raw32
    return base64.b32encode(body + _checksum(body)).decode("ascii")


def account_key_problem(text: str) -> str | None:
    """Why a text is not an account key, to follow "… is not an account key: "; None if it is."""
    if len(text) != _TEXT_LENGTH:
        return f"it has {len(text)} characters instead of {_TEXT_LENGTH}"
    # b32decode alone would accept padding, which would make the decoded key shorter.
    if _BASE32.fullmatch(text) is None:
        return "it has characters other than A-Z and 2-7"
    decoded = base64.b32decode(text)
    if decoded[0] != _ACCOUNT_PREFIX:
        return "its prefix is that of another kind of key"
    body, checksum = decoded[:-_CHECKSUM_LENGTH], decoded[-_CHECKSUM_LENGTH:]
    if checksum != _checksum(body):
        return "its checksum does not match"
    return None


def _checksum(body: bytes) -> bytes:
    return crc_hqx(body, 0).to_bytes(_CHECKSUM_LENGTH, "little")
