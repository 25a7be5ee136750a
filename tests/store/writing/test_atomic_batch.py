"""Several messages stored together or not at all, sent in one write."""

from __future__ import annotations

from typing import Any

import pytest

from natster_tui.errors import ConflictError, ConnectionLostError
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.maker import BucketMaker
from natster_tui.store.writing.atomic_batch import BATCH_LIMIT, BatchMessage, publish_batch
from tests.jetstream import ask_jetstream

NAME = ACCOUNTS.bucket
ENTRY = f"$KV.{NAME}.K"


@pytest.fixture
async def bucket(link: Link, log: EventLog) -> Bucket:
    bucket = Bucket(link, NAME, "test")
    await bucket.create(BucketMaker(link))
    return bucket


def entries(count: int) -> list[BatchMessage]:
    return [BatchMessage(f"{ENTRY}{number}", b"%d" % number) for number in range(count)]


async def test_a_whole_batch_leaves_in_one_write(
    link: Link, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[list[bytes]] = []
    transport: Any = link.client._transport
    write = transport.writelines

    def count(lines: list[bytes]) -> None:
        writes.append(lines)
        write(lines)

    await publish_batch(link, NAME, entries(2))
    monkeypatch.setattr(transport, "writelines", count)
    last = await publish_batch(link, NAME, entries(BATCH_LIMIT))
    assert len([lines for lines in writes if any(b"Nats-Batch-Id" in each for each in lines)]) == 1
    documents = (await bucket.load()).documents
    assert {key: entry.value for key, entry in documents.items()} == {
        f"K{number}": b"%d" % number for number in range(BATCH_LIMIT)
    }
    assert max(entry.revision for entry in documents.values()) == last


async def test_each_message_keeps_its_expectation_and_operation(link: Link, bucket: Bucket) -> None:
    messages = entries(3)
    messages[1] = BatchMessage(f"{ENTRY}1", b"", expected=0, operation="DEL")
    last = await publish_batch(link, NAME, messages)
    stored = await ask_jetstream(link, f"STREAM.MSG.GET.KV_{NAME}", {"seq": last - 1})
    assert stored["message"]["subject"] == f"{ENTRY}1"
    assert set((await bucket.load()).documents) == {"K0", "K2"}
    with pytest.raises(ConflictError):
        await publish_batch(link, NAME, [*entries(1), BatchMessage(f"{ENTRY}1", b"", 0)])
    assert (await bucket.load()).last_revision == last


@pytest.mark.parametrize("count", [0, BATCH_LIMIT + 1])
async def test_a_batch_has_one_message_at_least_and_no_more_than_the_server_takes(
    link: Link, bucket: Bucket, count: int
) -> None:
    with pytest.raises(ValueError, match="a batch holds 1 to 1000"):
        await publish_batch(link, NAME, entries(count))


async def test_a_lost_link_takes_no_batch(link: Link, bucket: Bucket) -> None:
    await link.close()
    with pytest.raises(ConnectionLostError):
        await publish_batch(link, NAME, entries(3))
