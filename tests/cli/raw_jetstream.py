"""What a server holds, asked by a plain client with JetStream's own requests."""

from __future__ import annotations

import json
from typing import Any

import nats

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed

LEASE = "KV_NATSTER_LEASE"


async def jetstream(
    settings: ConnectionSettings, verb: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One request (`STREAM.INFO.X`, …); it must be answered without an error."""
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
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
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    try:
        return (await client.jetstream().publish(subject, payload)).seq
    finally:
        await client.close()


async def everything(settings: ConnectionSettings) -> dict[str, Any]:
    """The account's streams by name, their settings and what they hold.

    Equal before and after means that nothing was written. The lease is left out: it says who
    projects, not what.
    """
    listed = await jetstream(settings, "STREAM.LIST")
    return {
        stream["config"]["name"]: {
            "created": stream["created"],
            "config": stream["config"],
            "first": stream["state"]["first_seq"],
            "last": stream["state"]["last_seq"],
            "messages": stream["state"]["messages"],
        }
        for stream in listed.get("streams") or ()
        if stream["config"]["name"] != LEASE
    }


async def stream_names(settings: ConnectionSettings) -> list[str]:
    """All streams, the lease's too."""
    return sorted((await jetstream(settings, "STREAM.NAMES")).get("streams") or ())


async def consumer_names(settings: ConnectionSettings, stream: str) -> list[str]:
    """Who reads a stream."""
    answer = await jetstream(settings, f"CONSUMER.NAMES.{stream}")
    return sorted(answer.get("consumers") or ())
