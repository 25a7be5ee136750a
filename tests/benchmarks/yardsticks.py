"""The two yardsticks: reading with nats-py and doing nothing, and the per-event design.

Neither uses anything of ours but the folds: this is what one would write with the library.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, KeyValueConfig
from nats.js.errors import KeyNotFoundError

from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import PROJECTIONS

_WINDOW = 8_000
_WINDOW_BYTES = 4 * 1024 * 1024


async def read_and_do_nothing(url: str, last: int) -> int:
    """The whole log through one nats-py subscription, a callback that only counts.

    The fastest way that nats-py has: pull requests whose answers go to one `subscribe`, with two
    windows outstanding. `fetch` takes four times as long.
    """
    client = await nats.connect(url)
    stream = client.jetstream()
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, mem_storage=True
    )
    consumer = (await stream.add_consumer(NATSTER.stream, config)).name
    inbox = client.new_inbox()
    done = asyncio.Event()
    seen = asked = 0

    async def count(_message: Msg) -> None:
        nonlocal seen
        seen += 1
        if seen >= last:
            done.set()
        elif asked - seen <= _WINDOW:
            await ask()

    async def ask() -> None:
        nonlocal asked
        asked += _WINDOW
        request = {"batch": _WINDOW, "expires": 60_000_000_000}
        await client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{NATSTER.stream}.{consumer}",
            json.dumps(request).encode(),
            reply=inbox,
        )

    await client.subscribe(inbox, cb=count, pending_msgs_limit=-1, pending_bytes_limit=-1)
    await ask()
    await ask()
    await done.wait()
    await client.close()
    return last


async def project_one_by_one(url: str, last: int) -> int:
    """The per-event design: fetch one, get its documents, put them, acknowledge; twice at once.

    One durable consumer and one bucket per projection, as the reference service has them, and
    both projectors side by side in one event loop.
    """
    client = await nats.connect(url)
    await asyncio.gather(*(_project(client, projection, last) for projection in PROJECTIONS))
    await client.close()
    return last


async def _project(client: nats.NATS, projection: Projection[Any], last: int) -> None:
    stream = client.jetstream()
    name = f"NAIVE_{projection.name}"
    bucket = await stream.create_key_value(KeyValueConfig(bucket=name))
    subscription = await stream.pull_subscribe(
        "natster.events.>", durable=name, stream=NATSTER.stream
    )
    for _ in range(last):
        (message,) = await subscription.fetch(1)
        about = message.metadata
        record = Record(
            about.sequence.stream,
            int(about.timestamp.timestamp()) * 1_000_000_000,
            message.subject,
            message.data,
        )
        event = NATSTER.read(record)
        if not isinstance(event, str):
            states = {}
            for key in projection.keys_of(event):
                try:
                    states[key] = projection.decode((await bucket.get(key)).value or b"")
                except KeyNotFoundError:
                    continue
            fold = Fold(projection, states)
            for key in fold.apply(record, event):
                await bucket.put(key, fold.document(key) or b"")
        await message.ack()
    await subscription.unsubscribe()
    await stream.delete_consumer(NATSTER.stream, name)
    await stream.delete_key_value(name)
