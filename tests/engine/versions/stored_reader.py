"""A reader with a plain NATS client, which sees every batch that is stored in a bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import nats
from nats.aio.msg import Msg

from natster_tui.projections.api import CHECKPOINT_KEY, Projection
from natster_tui.projections.documents import encode_document
from natster_tui.projections.paging import assembled, by_document, document_key
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed


class StoredReader:
    """What the stored bucket holds whenever a batch is complete."""

    def __init__(self, projection: Projection[Any], allowed: Mapping[str, set[bytes]]) -> None:
        self._projection = projection
        self.batches = self.revision = 0
        self.problems: list[str] = []
        self._allowed = allowed
        self._entries: dict[str, bytes] = {}
        self._changed: set[str] = set()

    @property
    def documents(self) -> dict[str, bytes]:
        """The documents as they were read last."""
        entries = {key: entry for key, entry in self._entries.items() if key != CHECKPOINT_KEY}
        return {
            key: encode_document(assembled(self._projection, key, own))
            for key, own in by_document(entries)
        }

    @asynccontextmanager
    async def reading(self, settings: ConnectionSettings) -> AsyncIterator[None]:
        """Read for as long as the block lasts."""
        client = await nats.connect(
            list(settings.servers), user=settings.user, password=revealed(settings.password)
        )
        subject = f"$KV.{self._projection.bucket}.>"
        try:
            await client.jetstream().subscribe(subject, cb=self._take, ordered_consumer=True)
            yield
        finally:
            await client.close()

    async def _take(self, message: Msg) -> None:
        """A message of the bucket, in order."""
        self.revision = message.metadata.sequence.stream
        headers = message.headers or {}
        key = message.subject.removeprefix(f"$KV.{self._projection.bucket}.")
        if "KV-Operation" in headers:
            self._entries.pop(key, None)
        else:
            self._entries[key] = message.data
        self._changed.add(document_key(key))
        if "Nats-Batch-Commit" in headers or "Nats-Batch-Id" not in headers:
            self.batches += 1
            self._changed.discard(CHECKPOINT_KEY)
            changed = {
                key: entry
                for key, entry in self._entries.items()
                if document_key(key) in self._changed
            }
            self.problems += odd_documents(self._projection, changed, self._allowed)
            self._changed.clear()


def odd_documents(
    projection: Projection[Any], entries: Mapping[str, bytes], allowed: Mapping[str, set[bytes]]
) -> list[str]:
    """The documents that belong to neither version."""
    odd = []
    for key, own in by_document(entries):
        try:
            document = encode_document(assembled(projection, key, own))
        except ValueError as error:
            odd.append(f"{key}: {error}")
        else:
            if document not in allowed.get(key, ()):
                odd.append(f"{key}: {document!r}")
    return odd
