"""Publishes as bytes of the NATS protocol, to send many of them in one write.

nats-py frames one message at a time, and wakes its writing task for each. That takes five times as
long as storing a document takes us otherwise. `WireClient.queue` takes frames that are made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nats.errors import BadSubjectError, MaxPayloadError


class Outgoing(NamedTuple):
    """A message to publish. `headers` is its header block, `NATS/1.0` to the empty line."""

    subject: str
    headers: str
    payload: bytes


def header_block(*pairs: tuple[str, str]) -> str:
    """The header block of some names and values, which must be plain ASCII without line ends."""
    return "".join(["NATS/1.0\r\n", *[f"{name}: {value}\r\n" for name, value in pairs], "\r\n"])


def framed(messages: Sequence[Outgoing], max_payload: int) -> bytes:
    """The bytes that publish some messages.

    Raises the errors of nats-py's own publish: BadSubjectError for a subject that would end a line,
    MaxPayloadError for a payload of more than `max_payload` bytes.
    """
    parts: list[bytes] = []
    for subject, headers, payload in messages:
        if subject.split() != [subject]:
            raise BadSubjectError
        if len(payload) > max_payload:
            raise MaxPayloadError
        size = len(headers)
        line = f"HPUB {subject}  {size} {size + len(payload)}\r\n{headers}"
        parts += (line.encode(), payload, b"\r\n")
    return b"".join(parts)
