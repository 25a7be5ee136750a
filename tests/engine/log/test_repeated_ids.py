"""Finding repeated message ids in live events and in replays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.engine.log import repeated_ids
from natster_tui.engine.log.repeated_ids import RepeatedIds
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.events.event import MESSAGE_ID, StoredMessage, as_records
from natster_tui.events.log.hazards import Hazard, repeated_id
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.connection.link import Link
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.conftest import until
from tests.engine.running import running
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, shared

_blocks = st.sampled_from(
    [b"", b"\r\n\r\n", b"\r\nX: Nats-Msg-Id: a\r\n\r\n"]
    + [b"\r\nNats-Msg-Id: %s\r\n\r\n" % name for name in (b"a", b"b", b"c", b"\xff")]
    + [b"\r\nX: y\r\nNats-Msg-Id:a\r\n\r\n", b"\r\nNats-Msg-Id: \r\n\r\n"]
).map(lambda rest: rest and b"NATS/1.0" + rest)


def messages(blocks: list[bytes], first: int = 1) -> list[StoredMessage]:
    return [(seq, 1, b"s", b"", block) for seq, block in enumerate(blocks, first)]


def with_ids(*names: str, first: int = 1) -> list[StoredMessage]:
    return messages([f"NATS/1.0\r\n{MESSAGE_ID}: {name}\r\n\r\n".encode() for name in names], first)


def found(count: int, seq: int, earlier: int) -> Hazard:
    return repeated_id(count, seq, earlier)


@given(st.lists(st.lists(_blocks, min_size=1, max_size=6), max_size=6))
def test_slices_of_a_replay_say_the_same_as_their_records(slices: list[list[bytes]]) -> None:
    quick, one_by_one, parsed = RepeatedIds(), RepeatedIds(), RepeatedIds()
    first = 1
    for blocks in slices:
        quick.add_messages(messages(blocks, first))
        one_by_one.add(as_records(messages(blocks, first)))
        records = as_records(messages(blocks, first))
        assert all(isinstance(record.headers, tuple) for record in records)
        parsed.add(records)
        first += len(blocks)
    assert quick.hazard == one_by_one.hazard == parsed.hazard
    assert quick.count == one_by_one.count == parsed.count


def test_the_last_repetition_and_their_number_are_named() -> None:
    ids = RepeatedIds()
    ids.add_messages(with_ids("a", "b", "a"))
    assert ids.hazard == found(1, 3, 1)
    ids.add_messages(with_ids("c", "b", first=4))
    assert ids.hazard == found(2, 5, 2)


def test_ids_are_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated_ids, "KEPT", 3)
    ids = RepeatedIds()
    ids.add_messages(with_ids("a", "b", "c", "d"))
    ids.add_messages(with_ids("e", "f", "g", "h", first=5))
    ids.add_messages(with_ids("e", first=9))
    assert ids.hazard == found(1, 9, 5)
    ids.add_messages(with_ids("a", first=10))
    assert ids.count == 1


def test_live_events_are_added_to_what_a_read_of_the_log_found() -> None:
    live, read = RepeatedIds(), RepeatedIds()
    live.add(as_records(with_ids("b", "a", "a", first=4)))
    assert live.hazard == found(1, 6, 5)
    read.add_messages(with_ids("x", "x", "b", "b"))
    live.continue_from(read)
    assert live.hazard == found(3, 6, 5)
    read.add_messages(with_ids("a", "a", first=5))
    live.continue_from(read)
    live.continue_from(read)
    assert live.hazard == found(3, 6, 5)


async def repeat_an_id(link: Link) -> None:
    """A log whose first and last events have the same message id."""
    config: dict[str, Any] = {"name": NATSTER.stream, "subjects": [NATSTER.subjects]}
    config["duplicate_window"] = 100_000_000
    await ask_jetstream(link, f"STREAM.CREATE.{NATSTER.stream}", config)
    landed: list[int] = []
    while len(landed) < 2:  # the second lands once the server has forgotten the first
        answer = await link.request(
            link.target.stored(shared(A, B).subject), b"", {MESSAGE_ID: "the same"}, 5.0
        )
        ack = json.loads(answer)
        landed += [] if ack.get("duplicate") else [ack["seq"]]


async def test_commands_that_read_the_log_say_so_and_status_says_that_it_does_not(
    link: Link, settings: ConnectionSettings, tmp_path: Path
) -> None:
    await repeat_an_id(link)
    natster = Program(tmp_path).on(settings)
    await natster.succeed("project", "--once")
    for command in (("verify",), ("verify", "--json")):
        ended = await natster.run(*command)
        assert ended.code == 0
        assert ended.said.strip() == f"natster-tui: hazard: {found(1, 2, 1).sentence}"
    status = (await natster.succeed("status")).out
    assert "ids are repeated" not in status
    assert "not checked repeated message ids: verify reads the whole log" in status


async def test_the_dashboard_keeps_what_a_verify_found(
    link: Link, settings: ConnectionSettings
) -> None:
    await repeat_an_id(link)
    async with running(settings) as workspace:
        await until(lambda: workspace.log is not None and workspace.follower.head == 2)
        assert not any("ids are repeated" in each for each in workspace.hazards)
        await workspace.rebuild(
            WholeProjections(
                (
                    ACCOUNTS,
                    CATALOGS,
                )
            )
        ).verify()
        assert found(1, 2, 1).sentence in workspace.hazards
        preflight = await workspace.rebuild(WholeProjections((ACCOUNTS,))).preflight()
        assert found(1, 2, 1) in preflight.hazards
