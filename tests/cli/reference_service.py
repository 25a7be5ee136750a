"""A deployment of the original service, as it makes its streams and leaves its documents."""

from __future__ import annotations

import json
from typing import Any

import nats
from nats.aio.client import Client

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.conftest import RECORDINGS, recording

BUCKETS = ("PROJ_ACCOUNT", "PROJ_CATALOG")
CONFIGS: dict[str, dict[str, Any]] = json.loads((RECORDINGS / "configs.json").read_text())


def recorded_documents(name: str) -> dict[str, dict[str, Any]]:
    """What the original service stored at the end of a recording, by bucket."""
    path = next(RECORDINGS.glob(f"{name}*.reference.json"))
    documents: dict[str, dict[str, Any]] = json.loads(path.read_text())["documents"]
    return documents


async def deploy(settings: ConnectionSettings) -> None:
    """Its streams with its settings, the standard log, and its documents of that."""
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    try:
        for stream in ("NATSTER_EVENTS", *(f"KV_{bucket}" for bucket in BUCKETS)):
            config = {k: v for k, v in CONFIGS[stream].items() if k != "metadata"}
            await _ask(client, f"$JS.API.STREAM.CREATE.{stream}", json.dumps(config).encode())
        for record in recording("01"):
            await _ask(client, record.subject, record.payload)
        for bucket, documents in recorded_documents("01").items():
            for key, document in documents.items():
                stored = json.dumps(document, separators=(",", ":")).encode()
                await _ask(client, f"$KV.{bucket}.{key}", stored)
    finally:
        await client.close()


async def start_consumer(client: Client, name: str) -> None:
    """Its durable consumer on the log."""
    config = CONFIGS[f"consumer {name}"]
    asked = {key: value for key, value in config.items() if key not in ("metadata", "num_replicas")}
    await _ask(
        client,
        f"$JS.API.CONSUMER.DURABLE.CREATE.NATSTER_EVENTS.{name}",
        json.dumps({"stream_name": "NATSTER_EVENTS", "config": asked}).encode(),
    )


async def _ask(client: Client, subject: str, payload: bytes) -> None:
    answer = json.loads((await client.request(subject, payload)).data)
    assert "error" not in answer, answer
