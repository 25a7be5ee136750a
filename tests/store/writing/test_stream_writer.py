"""A message is stored by the stream that it is meant for, or by none."""

from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.errors import MisplacedWriteError
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.writing.stream_writer import StreamWriter
from tests.faults.arena import own_server
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, initialized, shared


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


MAPPED = """
accounts { X {
  jetstream: enabled, users: [{ user: u, password: p }]
  mappings: { "natster.events.*.*.*.*": "natster.events.$1.$3.$2.$4" }
} }
"""


async def test_a_mapping_that_makes_an_event_another_one_is_noticed_at_the_first(
    tmp_path: Path,
) -> None:
    async with own_server(tmp_path, MAPPED) as server:
        link = await Link.open(
            ConnectionSettings(servers=(server.url,), user="u", password="p", origin="flags")
        )
        log = await EventLog.create(link, NATSTER, LogSettings())
        events = [shared(A, B, f"c{number}") for number in range(50)]
        for number, append in enumerate(
            (
                log.append(events[0], expected_last=0, expected_subject=NATSTER.subjects),
                log.append_all(events, expected_last=None),
            ),
            1,
        ):
            with pytest.raises(MisplacedWriteError, match="so that it is another event"):
                await append
            assert (await log.refresh()).last_seq == number
        await link.close()


async def test_a_subject_that_no_stream_stores_is_refused(link: Link) -> None:
    with pytest.raises(MisplacedWriteError, match=r"no stream takes natster\.events\.>"):
        await StreamWriter(link, NATSTER.stream).store(initialized(A).subject, b"", what="an event")
