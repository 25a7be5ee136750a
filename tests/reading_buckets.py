"""Reading buckets with a plain NATS client, independently of the engine."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed

AT_ONCE = 50


async def stored_values(settings: ConnectionSettings, bucket: str) -> dict[str, bytes]:
    """Every value of a bucket, `_checkpoint` included, as nats-py's own key-value API gives it."""
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    try:
        # Not `keys()`: in nats-py 2.16 it sometimes ends before the first key has come.
        info = await client.jetstream().stream_info(f"KV_{bucket}", subjects_filter=">")
        store = await client.jetstream().key_value(bucket)
        keys = [subject.removeprefix(f"$KV.{bucket}.") for subject in info.state.subjects or {}]
        values = {}
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            answers = await asyncio.gather(*map(store.get, some), return_exceptions=True)
            for key, got in zip(some, answers, strict=True):
                if isinstance(got, nats.js.errors.KeyNotFoundError):
                    continue  # deleted, and the mark of that is left
                if isinstance(got, BaseException):
                    raise got
                values[key] = got.value or b""
        return values
    finally:
        await client.close()


async def stored_documents(settings: ConnectionSettings, bucket: str) -> dict[str, Any]:
    values = await stored_values(settings, bucket)
    return {key: json.loads(value) for key, value in values.items() if key != "_checkpoint"}


async def put_value(
    settings: ConnectionSettings, bucket: str, key: str, value: bytes | None
) -> None:
    """Tamper with a bucket, as any client could."""
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    try:
        store = await client.jetstream().key_value(bucket)
        if value is None:
            await client.jetstream().publish(f"$KV.{bucket}.{key}", headers={"KV-Operation": "DEL"})
        else:
            await store.put(key, value)
    finally:
        await client.close()
