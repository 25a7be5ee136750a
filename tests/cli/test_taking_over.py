"""Taking a deployment of the original service over, which must be asked for.

These come last: see `deployed_before`.
"""

from __future__ import annotations

import asyncio
import time

import nats
import pytest

from natster_tui.engine.foreign.takeover import QUIET_S
from natster_tui.events.times import parse_timestamp
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.cli.program import Program
from tests.cli.raw_jetstream import consumer_names, everything, jetstream
from tests.cli.reference_service import recorded_documents, start_consumer
from tests.conftest import until
from tests.reading_buckets import stored_documents, stored_values

HUB = "AC5V4OC2POUAX4W4H7CKN5TQ5AKVJJ4AJ7XZKNER6P6DHKBYGVGJHSNC"
A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
BUCKETS = ("PROJ_ACCOUNT", "PROJ_CATALOG")


async def until_quiet(settings: ConnectionSettings) -> None:
    """Wait until the documents are as old as taking them over demands."""
    for bucket in BUCKETS:
        state = (await jetstream(settings, f"STREAM.INFO.KV_{bucket}"))["state"]
        written = parse_timestamp(state["last_ts"])
        assert written is not None
        quiet_at = written + QUIET_S * 1e9
        await until(lambda: time.time_ns() > quiet_at, 2 * QUIET_S)  # noqa: B023 - awaited here


async def test_it_converts_the_buckets_and_says_so(
    anywhere: Program, deployed_before: list[ConnectionSettings]
) -> None:
    settings = deployed_before[0]
    natster = anywhere.on(settings)
    await until_quiet(settings)
    before = await everything(settings)

    unconfirmed = await natster.run("rebuild", "--take-over", given="yes\n")
    assert unconfirmed.code == 1
    assert "not confirmed: nothing was written" in unconfirmed.err
    assert await everything(settings) == before

    ended = await natster.run("rebuild", "--take-over", given="account catalog\n")
    assert ended.code == 0, ended
    for bucket in BUCKETS:
        assert f"{bucket} will be converted: atomic batches on" in ended.out
    assert "was written by another program: going on takes it over" in ended.err
    assert "type account catalog to go on" in ended.err
    assert ended.lines[-2:] == [
        "rebuilt and verified: account: 3 keys match the log at 10",
        "rebuilt and verified: catalog: 2 keys match the log at 10",
    ]
    after = await everything(settings)
    assert after["NATSTER_EVENTS"] == before["NATSTER_EVENTS"]
    for bucket in BUCKETS:
        was, now = before[f"KV_{bucket}"], after[f"KV_{bucket}"]
        assert now["created"] == was["created"]
        assert now["last"] > was["last"], "a revision is never repeated"
        changed = {
            name: value
            for name, value in now["config"].items()
            if name != "metadata" and was["config"].get(name) != value
        }
        assert changed == {"allow_atomic": True, "discard": "new", "max_msg_size": -1}
    theirs = recorded_documents("01")
    stored = await stored_documents(settings, "PROJ_CATALOG")
    assert stored["kevbuzz"] == theirs["PROJ_CATALOG"]["kevbuzz"]
    assert HUB not in stored["synadiahub"]["shared_with"]
    await natster.succeed("verify")
    await natster.succeed("project", "--once")


async def test_it_is_refused_as_soon_as_the_other_program_moves(
    anywhere: Program, deployed_before: list[ConnectionSettings]
) -> None:
    settings = deployed_before[1]
    await until_quiet(settings)
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    await start_consumer(client, "PROJ_ACCOUNT")
    before = await everything(settings)
    taking = await anywhere.on(settings).start("rebuild", "account", "--take-over", "--yes")
    assert taking.stderr is not None
    told = await taking.stderr.readline()
    assert told.startswith(b"natster-tui: watching for 30 s whether PROJ_ACCOUNT is still at"), told
    began = time.monotonic()
    subscription = await client.jetstream().pull_subscribe_bind("PROJ_ACCOUNT", "NATSTER_EVENTS")
    await subscription.fetch(1)
    out, err = await asyncio.wait_for(taking.communicate(), 15)
    await client.close()
    assert taking.returncode == 1
    assert time.monotonic() - began < QUIET_S / 2
    assert err.decode() == (
        "natster-tui: the consumer PROJ_ACCOUNT on NATSTER_EVENTS is at work: stop the program "
        "that uses it, then take over\n"
    )
    assert b"rebuilt" not in out
    assert await everything(settings) == before
    assert "_checkpoint" not in await stored_values(settings, "PROJ_ACCOUNT")


@pytest.mark.full
async def test_the_consumer_that_is_left_is_named_and_deleted_once_that_is_agreed(
    anywhere: Program, deployed_before: list[ConnectionSettings]
) -> None:
    settings = deployed_before[2]
    await until_quiet(settings)
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    for bucket in BUCKETS:
        await start_consumer(client, bucket)
    await client.close()
    natster = anywhere.on(settings)
    assert (await natster.run("rebuild", "--delete-consumer")).code == 2
    ended = await natster.run("rebuild", "--take-over", given="account catalog\ny\n")
    assert ended.code == 0, ended
    for bucket in BUCKETS:
        named = f"the other program's consumer {bucket} on NATSTER_EVENTS is left behind"
        assert named in ended.err
    # Of the second one nothing was said, so it stays.
    assert "deleted the consumer PROJ_ACCOUNT on NATSTER_EVENTS" in ended.err
    assert await consumer_names(settings, "NATSTER_EVENTS") == ["PROJ_CATALOG"]
