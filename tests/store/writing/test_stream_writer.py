"""A message is stored by the stream that it is meant for, or by none."""

from __future__ import annotations

import pytest

from natster_tui.errors import MisplacedWriteError
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.writing.stream_writer import StreamWriter
from tests.jetstream import ask_jetstream
from tests.making_logs import A, initialized


async def test_a_stored_message_is_acknowledged_with_its_place(link: Link, log: EventLog) -> None:
    message = initialized(A, "Ada")
    ack = await StreamWriter(link, NATSTER.stream).store(
        message.subject, message.payload, what="an event"
    )
    assert (ack.stream, ack.seq, ack.duplicate) == (NATSTER.stream, 1, False)


async def test_another_stream_does_not_store_what_was_meant_for_this_one(
    link: Link, log: EventLog
) -> None:
    await ask_jetstream(
        link, "STREAM.CREATE.COPY", {"name": "COPY", "sources": [{"name": NATSTER.stream}]}
    )
    with pytest.raises(
        MisplacedWriteError, match=f"stored by {NATSTER.stream} here, and not by COPY"
    ):
        await StreamWriter(link, "COPY").store(initialized(A).subject, b"", what="an event")
    assert (await log.refresh()).last_seq == 0


async def test_a_subject_that_no_stream_stores_is_refused(link: Link) -> None:
    with pytest.raises(MisplacedWriteError, match=r"no stream takes natster\.events\.>"):
        await StreamWriter(link, NATSTER.stream).store(initialized(A).subject, b"", what="an event")
