"""JetStream requests whose answers the tests look into as they came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict

from natster_tui.events.event import Record
from natster_tui.store.connection.answers.messages import StoredMessage
from natster_tui.store.connection.answers.reading import Answer
from natster_tui.store.connection.link import REQUEST_TIMEOUT, Link


class _Anything(Answer):
    model_config = ConfigDict(extra="allow")


async def ask_jetstream(
    link: Link,
    verb: str,
    body: Mapping[str, object] | None = None,
    timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - as `Link.ask` has it
) -> dict[str, Any]:
    """All fields of an answer; raises what `Link.ask` raises."""
    return (await link.ask(verb, _Anything, body, timeout)).model_extra or {}


def stored_record(message: object) -> Record:
    """A record from the `message` of a `STREAM.MSG.GET` answer."""
    return StoredMessage.model_validate(message).record()
