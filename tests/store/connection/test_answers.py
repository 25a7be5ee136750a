from __future__ import annotations

import json
from typing import Any

import pytest

from natster_tui.errors import ApiError, MalformedAnswerError
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.answers.consumers import ConsumerListAnswer
from natster_tui.store.connection.answers.messages import MessageAnswer, PublishAck
from natster_tui.store.connection.answers.reading import Answer, read_answer
from natster_tui.store.connection.answers.servers import AccountInfoAnswer
from natster_tui.store.connection.answers.streams import (
    DoneAnswer,
    StreamInfoAnswer,
    StreamNamesAnswer,
)
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from tests.making_logs import A, B, append, initialized

STREAM_INFO: dict[str, Any] = {
    "type": "io.nats.jetstream.api.v1.stream_info_response",
    "config": {"name": "X", "max_bytes": -1, "max_age": 0, "unknown": [1]},
    "created": "2026-11-23T03:14:06.5Z",
    "state": {"messages": 2, "bytes": 100, "first_seq": 4, "last_seq": 5},
}
MESSAGE: dict[str, Any] = {
    "message": {
        "subject": "a.b",
        "seq": 5,
        "hdrs": "TkFUUy8xLjANCg0K",
        "data": "aGVsbG8=",
        "time": "2026-11-23T03:14:06.5Z",
    }
}


def read(value: object, model: type[Answer], *, raw: bytes | None = None) -> Any:
    data = json.dumps(value).encode() if raw is None else raw
    return read_answer(data, model, request="STREAM.INFO.X", where="nats://host")


def altered(value: dict[str, Any], path: str, new: object) -> dict[str, Any]:
    copy = json.loads(json.dumps(value))
    at = copy
    *parents, last = path.split(".")
    for name in parents:
        at = at[name]
    if new is ...:
        del at[last]
    else:
        at[last] = new
    return dict(copy)


def test_an_honest_answer_becomes_a_value() -> None:
    answer = read(STREAM_INFO, StreamInfoAnswer)
    assert (answer.config.name, answer.config.max_bytes, answer.state.last_seq) == ("X", 0, 5)
    assert answer.raw_config == STREAM_INFO["config"]
    assert answer.created == "2026-11-23T03:14:06.5Z"


def test_a_stored_message_becomes_a_record() -> None:
    record = read(MESSAGE, MessageAnswer).message.record()
    assert (record.seq, record.subject, record.payload) == (5, "a.b", b"hello")
    assert record.time_ns == 1_795_403_646_500_000_000


@pytest.mark.parametrize(
    ("path", "new", "problem"),
    [
        ("state", None, "state: "),
        ("state", ..., "state: field required"),
        ("state.last_seq", ..., "state.last_seq: field required"),
        ("state.last_seq", "5", "state.last_seq: input should be a valid integer"),
        ("state.last_seq", 5.5, "state.last_seq: input should be a valid integer"),
        ("state.last_seq", True, "state.last_seq: input should be a valid integer"),
        ("state.last_seq", -1, "state.last_seq: input should be greater than or equal to 0"),
        ("state.last_seq", 2**64, "state.last_seq: input should be less than"),
        ("state.first_seq", 7, "state: first_seq is beyond last_seq"),
        ("state.messages", 3, "state: more messages than sequences"),
        ("config.max_bytes", [], "config.max_bytes: "),
        ("config.name", "", "config.name: "),
        ("config.metadata", {"a": 1}, "config.metadata.a: "),
        ("created", "yesterday", "created: should be an RFC 3339 time"),
        ("error", 5, "error: "),
    ],
)
def test_a_stream_description_that_is_wrong_in_one_place_is_refused(
    path: str, new: object, problem: str
) -> None:
    with pytest.raises(MalformedAnswerError) as raised:
        read(altered(STREAM_INFO, path, new), StreamInfoAnswer)
    assert f"nats://host gave a malformed answer to STREAM.INFO.X ({problem}" in str(raised.value)
    assert raised.value.exit_code == 3


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("message", []),
        ("message.data", "not base64!"),
        ("message.data", "aGVsbG8"),
        ("message.data", "é"),
        ("message.data", 5),
        ("message.hdrs", {}),
        ("message.seq", 0),
        ("message.time", "2026-11-23"),
        ("message.subject", 3),
    ],
)
def test_a_stored_message_that_is_wrong_in_one_place_is_refused(path: str, new: object) -> None:
    with pytest.raises(MalformedAnswerError):
        read(altered(MESSAGE, path, new), MessageAnswer)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"5",
        b'{"state"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"seq":' + b"9" * 6_000,
    ],
    ids=["empty", "null", "list", "number", "cut", "not text", "nested", "digits"],
)
def test_bytes_that_are_no_object_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedAnswerError):
        read(None, StreamInfoAnswer, raw=raw)


def test_an_error_is_one_whatever_else_the_answer_lacks_or_holds() -> None:
    error = {"code": 400, "err_code": 10071, "description": "wrong last sequence: \x1b[1m5"}
    for answer in ({"error": error}, {"error": error, "stream": "X", "seq": 0}):
        with pytest.raises(ApiError) as raised:
            read(answer, PublishAck)
        assert raised.value.code == 10071
        assert "\x1b" not in str(raised.value)


def test_a_deletion_that_did_not_succeed_is_no_deletion() -> None:
    assert read({"success": True}, DoneAnswer).success
    with pytest.raises(MalformedAnswerError):
        read({"success": False}, DoneAnswer)


def test_a_list_that_was_never_filled_may_be_null() -> None:
    assert read({"total": 0, "consumers": None}, ConsumerListAnswer).consumers is None
    assert read({"total": 0, "streams": None}, StreamNamesAnswer).streams is None


def test_what_stands_in_an_answer_is_never_quoted() -> None:
    with pytest.raises(MalformedAnswerError) as raised:
        read(altered(STREAM_INFO, "state.last_seq", "hunter2"), StreamInfoAnswer)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


async def test_a_real_server_answers_as_the_models_say(link: Link, log: EventLog) -> None:
    await append(log, [initialized(A, "Ada"), initialized(B, "Ben")])
    info = await link.ask(
        f"STREAM.INFO.{NATSTER.stream}", StreamInfoAnswer, {"deleted_details": True}
    )
    assert (info.config.name, info.state.messages) == (NATSTER.stream, 2)
    found = await link.ask(f"STREAM.MSG.GET.{NATSTER.stream}", MessageAnswer, {"seq": 2})
    assert found.message.record() == await log.record_at(2)
    names = await link.ask("STREAM.NAMES", StreamNamesAnswer)
    assert names.streams == (NATSTER.stream,)
    consumers = await link.ask(f"CONSUMER.LIST.{NATSTER.stream}", ConsumerListAnswer)
    assert consumers.total == len(consumers.consumers or ())
    account = await link.ask("INFO", AccountInfoAnswer)
    assert account.streams == 1
    with pytest.raises(ApiError) as raised:
        await link.ask("STREAM.INFO.NOWHERE", StreamInfoAnswer)
    assert raised.value.code == STREAM_NOT_FOUND
