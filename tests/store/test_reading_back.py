"""A rebuild's entries are compared as they were sent; all others are opened."""

from __future__ import annotations

from typing import Any

import pytest

from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.bucket import Bucket, Sent
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import last_message
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.settings.connection import ConnectionSettings
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, C
from tests.reading_buckets import put_value
from tests.sealed_logs import sealed_log

CHANGES = {key: b'{"of":"%s"}' % key.encode() for key in (A, B, C)}


@pytest.fixture
async def bucket(link: Link, key_file: KeyFile) -> Bucket:
    log = await sealed_log(link, key_file.path)
    bucket = Bucket(link, ACCOUNTS.bucket, "test", log.sealing)
    await bucket.create(log.buckets)
    return bucket


@pytest.fixture
async def sent(bucket: Bucket) -> Sent:
    """The documents of three accounts, just committed."""
    sent: Sent = {}
    await bucket.commit(CHANGES, b"{}", 0, sent=sent)
    return sent


async def stored_form(bucket: Bucket, key: str) -> bytes:
    """An entry's bytes in the stream."""
    record = await last_message(bucket.link, bucket.stream, f"$KV.{bucket.name}.{key}")
    assert record is not None
    return record.payload


@pytest.fixture
def opened(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that were opened, as they are."""
    keys: list[str] = []
    open_document = bucket.sealing.open_document

    def note(name: str, key: str, stored: bytes) -> Any:
        keys.append(key)
        return open_document(name, key, stored)

    monkeypatch.setattr(bucket.sealing, "open_document", note)
    return keys


async def test_what_is_stored_as_it_was_sent_is_not_opened_again(
    bucket: Bucket, sent: Sent, opened: list[str]
) -> None:
    _info, compared = await bucket.inspect(sent=sent)
    assert not opened
    assert compared == await bucket.load()
    assert sorted(opened) == sorted(CHANGES)
    assert {key: entry.value for key, entry in compared.documents.items()} == CHANGES


async def test_what_was_stored_since_is_opened(
    bucket: Bucket, sent: Sent, opened: list[str], settings: ConnectionSettings
) -> None:
    ours = await stored_form(bucket, B)
    await put_value(settings, bucket.name, A, ours)
    await put_value(settings, bucket.name, B, ours)
    await put_value(settings, bucket.name, C, None)
    _info, compared = await bucket.inspect(sent=sent)
    assert sorted(opened) == sorted((A, B))
    assert compared == await bucket.load()
    assert "altered" in compared.documents[A].unopened
    assert compared.documents[B].value == CHANGES[B]
    assert not compared.documents[B].from_batch
    assert C not in compared.documents


async def test_a_removal_with_the_same_value_is_a_removal(
    bucket: Bucket, sent: Sent, link: Link
) -> None:
    await link.publish(
        link.target.stored(f"$KV.{bucket.name}.{A}"),
        await stored_form(bucket, A),
        {"KV-Operation": "DEL", "Nats-Batch-Id": "x", "Nats-Batch-Sequence": "1"}
        | {"Nats-Batch-Commit": "1"},
    )
    _info, compared = await bucket.inspect(sent=sent)
    assert A not in compared.documents
    assert compared == await bucket.load()


async def test_a_plain_bucket_is_compared_the_same(link: Link, log: EventLog) -> None:
    bucket = Bucket(link, ACCOUNTS.bucket, "test")
    await bucket.create(log.buckets)
    sent: Sent = {}
    await bucket.commit(CHANGES, b"{}", 0, sent=sent)
    _info, compared = await bucket.inspect(sent=sent)
    assert compared == await bucket.load()
    assert not sent
    assert (await ask_jetstream(link, f"STREAM.INFO.KV_{bucket.name}"))["state"]["messages"] == 4
