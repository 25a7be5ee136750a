"""One false answer stops a projector, or makes it watch, until the answers are true again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from natster_tui.engine.projecting import bucket_watch
from natster_tui.engine.projecting.status import Phase, ProjectorStatus
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.altering import Frame, altering
from tests.conftest import until
from tests.engine.running import project_to_head, projecting
from tests.faults.arena import story

HEAD = 40


def shorter_log(frame: Frame) -> Frame | None:
    """The log's last sequence, in the server's answer about the stream."""
    if frame.body is None or f'"name":"{NATSTER.stream}"'.encode() not in frame.body:
        return None
    at = frame.header_size
    answer = json.loads(frame.body[at:])
    answer["state"] |= {"last_seq": 3, "messages": 3}
    return frame.with_body(frame.body[:at], json.dumps(answer).encode())


def _delivered(frame: Frame) -> bool:
    return frame.body is not None and len(frame.words) > 4 and b"$JS.ACK." in frame.words[3]


def garbled_checkpoint(frame: Frame) -> Frame | None:
    """The checkpoint, as it comes with all documents."""
    if not _delivered(frame) or frame.words[1] != b"$KV.PROJ_ACCOUNT._checkpoint":
        return None
    assert frame.body is not None
    return frame.with_body(frame.body[: frame.header_size], b"x")


def garbled_document(frame: Frame) -> Frame | None:
    """The first document."""
    if not _delivered(frame) or not frame.words[1].startswith(b"$KV.PROJ_ACCOUNT.A"):
        return None
    assert frame.body is not None
    return frame.with_body(frame.body[: frame.header_size], b"x")


@pytest.mark.parametrize(
    ("false", "phase", "says"),
    [
        (shorter_log, Phase.STOPPED, "ends at 3 but the projection has seen 40"),
        (garbled_checkpoint, Phase.WATCHING, "is unreadable"),
        (garbled_document, Phase.WATCHING, "is not a document of ours"),
    ],
)
@pytest.mark.usefixtures("frequent_looks")
async def test_a_projector_goes_on_after_one_false_answer(
    log: EventLog,
    settings: ConnectionSettings,
    monkeypatch: pytest.MonkeyPatch,
    false: Callable[[Frame], Frame | None],
    phase: Phase,
    says: str,
) -> None:
    monkeypatch.setattr(bucket_watch, "RETRY_S", 0.1)
    await log.append_all(list(story(0, HEAD)), expected_last=None)
    await project_to_head(log)
    async with altering(settings) as proxy:
        link = await Link.open(replace(settings, servers=(proxy.url,)))
        try:
            seen = await EventLog.open(link, NATSTER)
            proxy.change_one(false)
            states: set[tuple[Phase, str]] = set()
            status: ProjectorStatus
            async with projecting(
                seen, notify=lambda: states.add((status.phase, status.problem))
            ) as projector:
                status = projector.status
                # Each state is told of, however soon the next one follows.
                await until(lambda: any(each is phase and says in why for each, why in states))
                await until(lambda: status.phase is Phase.PROJECTING, 10)
                assert status.stored == HEAD
                assert not status.problem
        finally:
            await link.close()
