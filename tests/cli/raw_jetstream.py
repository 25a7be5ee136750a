"""What a server holds, asked by a plain client with JetStream's own requests."""

from __future__ import annotations

import json
from typing import Any

import nats

from natster_tui.store.connection_settings import ConnectionSettings


async def jetstream(
    settings: ConnectionSettings, verb: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One request (`STREAM.INFO.X`, …); it must be answered without an error."""
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=settings.password
    )
    try:
        payload = b"" if body is None else json.dumps(body).encode()
        answer = json.loads((await client.request(f"$JS.API.{verb}", payload)).data)
        assert "error" not in answer, answer
        return dict(answer)
    finally:
        await client.close()


async def publish(settings: ConnectionSettings, subject: str, payload: bytes = b"") -> int:
    """Append one message to whatever stream takes the subject; returns its sequence."""
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=settings.password
    )
    try:
        return (await client.jetstream().publish(subject, payload)).seq
    finally:
        await client.close()


async def everything(settings: ConnectionSettings) -> dict[str, Any]:
    """The account's streams by name: their settings, what they hold, and their consumers.

    Equal before and after means that nothing was written, nor left behind.
    """
    listed = await jetstream(settings, "STREAM.LIST")
    found = {}
    for stream in listed.get("streams") or ():
        name, state = stream["config"]["name"], stream["state"]
        consumers = await jetstream(settings, f"CONSUMER.NAMES.{name}")
        found[name] = {
            "created": stream["created"],
            "config": stream["config"],
            "first": state["first_seq"],
            "last": state["last_seq"],
            "messages": state["messages"],
            "consumers": sorted(consumers.get("consumers") or ()),
        }
    return found
