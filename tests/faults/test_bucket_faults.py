"""A projection's bucket is deleted under us, or garbage is written into it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.provisioning.maker import BucketMaker
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.faults.arena import (
    SOON_S,
    are_at,
    dashboard,
    process,
    projectors,
    say,
    tell,
    took,
)
from tests.faults.checker import Checker, Reader, ask, plain_client, read_bucket
from tests.faults.results import record
from tests.reading_buckets import put_value


async def test_a_bucket_is_deleted_under_us(settings: ConnectionSettings) -> None:
    head = await tell(settings, 0, 500)
    checker = Checker(settings)
    await checker.remember()
    slowest = 0.0
    said: set[str] = set()
    async with dashboard(settings) as workspace:
        account = workspace.projectors["account"].status
        workspace.listen(lambda: said.add(account.problem))
        for busy in (False, True):
            await until(lambda: are_at(workspace, head))  # noqa: B023
            async with plain_client(settings) as client:
                before = await read_bucket(client, "PROJ_ACCOUNT")
                await ask(client, "STREAM.DELETE.KV_PROJ_ACCOUNT")
                if busy:
                    head = await tell(settings, head, 50)
                began = asyncio.get_running_loop().time()
                while not (await read_bucket(client, "PROJ_ACCOUNT")).checkpoint:
                    assert asyncio.get_running_loop().time() - began < 2 * SOON_S
                await until(lambda: are_at(workspace, head))  # noqa: B023
                slowest = max(slowest, asyncio.get_running_loop().time() - began)
                after = await read_bucket(client, "PROJ_ACCOUNT")
            # A writer that still expects an old revision must not find it again.
            assert after.revision > before.revision
            assert any("PROJ_ACCOUNT" in problem for problem in said), said
            assert not any("enable it" in problem for problem in said)
            said.clear()
        head = await tell(settings, head, 50)
        await until(lambda: are_at(workspace, head))
    found = await checker.check(at=head)
    record("bucket deleted under us", found, injected=2, recovered_s=slowest)


async def test_an_entry_is_overwritten_with_garbage(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    head = await tell(settings, 0, 500)
    checker = Checker(settings)
    await checker.remember()
    key = "A00007"
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head))
        account = workspace.projectors["account"]
        await put_value(settings, "PROJ_ACCOUNT", key, b"\x1b[31mgarbage")
        assert await took(lambda: account.status.touched_by_others) < SOON_S
        # Others' documents go on being right.
        head = await tell(settings, head, 3)
        await until(lambda: are_at(workspace, head))
        await checker.check(at=head, wrong_keys=[key])
    async with dashboard(settings) as workspace:
        # What is stored is of no use to start from, and is not touched until a person says so.
        assert await took(lambda: say(workspace, key, "rebuild account")) < SOON_S
        async with process(tmp_path, settings, "status") as status:
            await status.ended()
        async with process(tmp_path, settings, "verify") as verify:
            assert await verify.ended() == 1
            assert verify.has_said("drift at")
        async with plain_client(settings) as client:
            keys = list((await read_bucket(client, "PROJ_ACCOUNT")).documents)
        reader = Reader(settings, workspace.projectors["account"].projection, keys)
        async with reader.reading(), process(tmp_path, settings, "rebuild", "--yes") as rebuild:
            assert await rebuild.ended() == 0
        back = await took(lambda: are_at(workspace, head))
        assert all(not p.status.touched_by_others for p in projectors(workspace))
    torn = reader.torn(checker.records(head), head, head, {key: b"\x1b[31mgarbage"})
    found = await checker.check(at=head)
    record("bucket entry overwritten with garbage", found, torn=torn, recovered_s=back)
    assert reader.reads > 100
    assert not torn


async def test_a_false_document_is_not_forgotten_until_it_is_put_right(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    """One that can be read, and is not true: nothing shows it but that we did not write it."""
    head = await tell(settings, 0, 200)
    checker = Checker(settings)
    await checker.remember()
    false = b'{"out_shares":[],"in_shares":[],"initialized_at":1,"account_name":"Mallory"}'
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head))
    await put_value(settings, "PROJ_ACCOUNT", "A99999", false)
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head))
        head = await tell(settings, head, 20)
        await until(lambda: are_at(workspace, head))
        assert workspace.projectors["account"].status.touched_by_others
    async with dashboard(settings) as workspace:
        # By now the bucket's last entries are all ours.
        await until(lambda: are_at(workspace, head))
        account = workspace.projectors["account"]
        assert account.status.touched_by_others
        assert not workspace.projectors["catalog"].status.touched_by_others
        async with process(tmp_path, settings, "status") as status:
            assert await status.ended() == 0
            assert status.has_said("something else wrote to PROJ_ACCOUNT")
            assert not status.has_said("something else wrote to PROJ_CATALOG")
        [verdict] = await workspace.rebuild(WholeProjections((account.projection,))).verify()
        account.accept(verdict)
        assert not verdict.good
        assert account.status.touched_by_others
        async with process(tmp_path, settings, "rebuild", "account", "--yes") as rebuild:
            assert await rebuild.ended() == 0
        back = await took(lambda: not account.status.touched_by_others)
        # Another client writes what is true anyway: a verify finds that it did no harm.
        async with plain_client(settings) as client:
            stored = await read_bucket(client, "PROJ_ACCOUNT")
        key, document = next(iter(stored.documents.items()))
        await until(lambda: are_at(workspace, head))
        await put_value(settings, "PROJ_ACCOUNT", key, document)
        await until(lambda: account.status.touched_by_others)
        [verdict] = await workspace.rebuild(WholeProjections((account.projection,))).verify()
        account.accept(verdict)
        assert not account.status.touched_by_others
        head = await tell(settings, head, 20)
        await until(lambda: are_at(workspace, head))
        assert not account.status.touched_by_others
    found = await checker.check(at=head)
    record("false but readable document written by hand", found, recovered_s=back)


async def test_a_bucket_is_loaded_while_batches_are_committed(settings: ConnectionSettings) -> None:
    """The server shows the messages of a batch one by one; what we load is never half of one."""
    writing, reading = await Link.open(settings), await Link.open(settings)
    bucket = Bucket(writing, "BATCHES", "writer")
    await bucket.create(BucketMaker(writing))
    ended = False

    async def write() -> int:
        revision = number = 0
        while not ended:
            number += 1
            changes = {f"k{key}": str(number).encode() for key in range(300)}
            revision = await bucket.commit(changes, str(number).encode(), revision)
        return number

    writer = asyncio.create_task(write())
    torn = loads = 0
    while loads < 100:
        snapshot = await Bucket(reading, "BATCHES", "reader").load()
        if snapshot.checkpoint is not None:
            loads += 1
            values = {entry.value for entry in snapshot.documents.values()}
            torn += values != {snapshot.checkpoint.value}
    ended = True
    injected = await writer
    record("bucket loaded while batches are committed", injected=injected, torn=torn, recovered_s=0)
    await writing.close()
    await reading.close()
    assert not torn
