"""A server that lies about a stream: consumers do not deliver what it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from natster_tui.store.settings.connection import ConnectionSettings
from tests.altering import Frame, altering

Change = Callable[[int, Frame], bytes]
"""What is passed of a delivery, by its sequence."""


def withholding(
    settings: ConnectionSettings, stream: str, withheld: Callable[[int], bool]
) -> AbstractAsyncContextManager[str]:
    """The address of a proxy that passes all but some of a stream's deliveries, by sequence."""
    return _changing(settings, stream, lambda seq, frame: b"" if withheld(seq) else frame.raw())


def relabelling(
    settings: ConnectionSettings, stream: str, subjects: Mapping[int, bytes]
) -> AbstractAsyncContextManager[str]:
    """The address of a proxy that delivers some of a stream's messages with other subjects."""

    def relabelled(seq: int, frame: Frame) -> bytes:
        verb, subject, *others = frame.words
        return Frame([verb, subjects.get(seq, subject), *others], frame.body).raw()

    return _changing(settings, stream, relabelled)


@asynccontextmanager
async def _changing(
    settings: ConnectionSettings, stream: str, change: Change
) -> AsyncIterator[str]:
    reply = f"$JS.ACK.{stream}.".encode()

    def sent(frame: Frame) -> bytes:
        if frame.body is None or not frame.words[3].startswith(reply):
            return frame.raw()
        return change(int(frame.words[3].split(b".")[-4]), frame)

    async with altering(settings) as proxy:
        proxy.sent = sent
        yield proxy.url
