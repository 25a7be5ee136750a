"""A message is stored by the stream that it is meant for, or by none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from natster_tui.errors import MisplacedWriteError
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.writing import probe
from natster_tui.store.writing.stream_writer import StreamWriter
from tests.faults.arena import own_server
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, initialized, shared
from tests.real_server import RealServer


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


def user_of(server: RealServer) -> ConnectionSettings:
    """The settings of the one user of these servers."""
    return ConnectionSettings(servers=(server.url,), user="u", password="p", origin="flags")


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
        link = await Link.open(user_of(server))
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


BELOW_A_PREFIX = """
accounts { X {
  jetstream: enabled, users: [{ user: u, password: p }]
  mappings: {
    "JS.own.API.INFO": "$JS.API.INFO"
    "JS.own.API.STREAM.>": "$JS.API.STREAM.>"
    "JS.own.API.CONSUMER.>": "$JS.API.CONSUMER.>"
    "JS.own.API.natster.events.*.*.*.*": "natster.events.$1.$3.$2.$4"
  }
} }
"""


async def test_a_mapping_below_a_prefix_is_named_and_later_writes_are_not_refused_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "SECOND_ANSWER_S", 0.1)
    async with own_server(tmp_path, BELOW_A_PREFIX) as server:
        plain = user_of(server)
        link = await Link.open(replace(plain, js_api_prefix="JS.own.API"))
        log = await EventLog.create(link, NATSTER, LogSettings())
        for number in (1, 2):
            made = replace(shared(A, B), headers=((MESSAGE_ID, f"m{number}"),))
            with pytest.raises(MisplacedWriteError, match="so that it is another event"):
                await log.append(made, expected_last=number - 1, expected_subject=NATSTER.subjects)
        # The mapping leaves this one as it is.
        made = shared(A, "none", "none")
        assert await log.append(made, expected_last=2, expected_subject=NATSTER.subjects) == 3
        await link.close()


UNREADABLE = """
accounts { X {
  jetstream: enabled
  users: [{
    user: u, password: p
    permissions: { publish: { deny: ["$JS.API.STREAM.MSG.GET.>", "$JS.API.DIRECT.GET.>"] } }
  }]
} }
"""


async def test_a_stored_event_that_cannot_be_read_back_is_not_reported_as_a_failure(
    tmp_path: Path,
) -> None:
    async with own_server(tmp_path, UNREADABLE) as server:
        link = await Link.open(user_of(server))
        log = await EventLog.create(link, NATSTER, LogSettings())
        events = [shared(A, B, f"c{number}") for number in range(5)]
        first = await log.append(events[0], expected_last=0, expected_subject=NATSTER.subjects)
        assert first == 1
        assert await log.append_all(events[1:], expected_last=1) == 4
        await link.close()


async def test_a_subject_that_no_stream_stores_is_refused(link: Link) -> None:
    with pytest.raises(MisplacedWriteError, match=r"no stream takes natster\.events\.>"):
        await StreamWriter(link, NATSTER.stream).store(initialized(A).subject, b"", what="an event")
