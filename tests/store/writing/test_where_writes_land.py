"""Writing through a JetStream domain or an imported API: there, and nowhere else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from natster_tui.errors import ConflictError, MisplacedWriteError, ServerError
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.lease import Holder, Lease
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.provisioning.maker import LEASES, BucketMaker
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.writing import probe
from natster_tui.store.writing.atomic_batch import BatchMessage, publish_batch
from natster_tui.store.writing.stream_writer import StreamWriter
from tests.elsewhere import (
    Elsewhere,
    HubAndLeaf,
    ImportingAccounts,
    everything_in,
    started,
    user,
    when_connected,
)
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, append, initialized, records_in, shared

BUCKET = "PROJ_TEST"
HOLDER = Holder(host="here", pid=1, instance="x", since=1)
ENTRY = f"$KV.{BUCKET}.{A}"


@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers on one machine answer sooner than the program waits."""
    monkeypatch.setattr(probe, "SECOND_ANSWER_S", 0.2)


@pytest.fixture(scope="module")
def leaf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubAndLeaf]:
    with started(HubAndLeaf(tmp_path_factory.mktemp("domains"))) as place:
        yield place


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportingAccounts]:
    with started(ImportingAccounts(tmp_path_factory.mktemp("imports"))) as place:
        yield place


@pytest.fixture(params=["domain", "prefix"])
async def place(
    request: pytest.FixtureRequest, leaf: HubAndLeaf, imports: ImportingAccounts
) -> Elsewhere:
    """Where everything is mapped, or imported; a log and a bucket are in both places."""
    if request.param == "domain":
        return await furnished(leaf.take(mapped=True))
    return await furnished(imports.take(imported=True))


@pytest.fixture(params=["domain", "prefix"])
async def bare(
    request: pytest.FixtureRequest, leaf: HubAndLeaf, imports: ImportingAccounts
) -> Elsewhere:
    """The same without what events, and under a prefix entries too, need."""
    if request.param == "domain":
        return await furnished(leaf.take(mapped=False))
    return await furnished(imports.take(imported=False))


async def furnished(place: Elsewhere) -> Elsewhere:
    await when_connected(place)
    for settings in (place.inside, place.own):
        async with opened(settings) as link:
            await EventLog.create(link, NATSTER, LogSettings())
            await create_bucket(link)
            await BucketMaker(link).make(LEASES)
    return place


async def create_bucket(link: Link) -> None:
    config = {
        "name": f"KV_{BUCKET}", "subjects": [f"$KV.{BUCKET}.>"], "allow_atomic": True,
        "max_msgs_per_subject": 1, "discard": "new",
    }  # fmt: skip
    await ask_jetstream(link, f"STREAM.CREATE.KV_{BUCKET}", config)


@asynccontextmanager
async def opened(settings: ConnectionSettings) -> AsyncIterator[Link]:
    link = await Link.open(settings)
    try:
        yield link
    finally:
        await link.close()


async def test_events_entries_batches_and_leases_land_there_only(place: Elsewhere) -> None:
    before = await everything_in(place.own)
    async with opened(place.through) as link:
        log = await EventLog.open(link, NATSTER)
        made = [initialized(A, "Ada"), initialized(B), shared(A, B)]
        assert await append(log, made) == 3
        assert [record.subject for record in await records_in(log)] == [m.subject for m in made]
        batch = [BatchMessage(f"{ENTRY}{number}", b"{}") for number in range(300)]
        assert await publish_batch(link, BUCKET, [*batch, BatchMessage(ENTRY, b"{}", 0)]) == 301
        taken = await Lease(link).put(HOLDER, 0)
        assert taken is not None
        assert await Lease(link).put(HOLDER, taken) == taken + 1
        assert (await Lease(link).read()).holder == HOLDER
    inside = await everything_in(place.inside)
    assert inside[NATSTER.stream][2]["messages"] == 3
    assert inside[f"KV_{BUCKET}"][2]["messages"] == 301
    assert await everything_in(place.own) == before


async def test_expectations_name_the_plain_subject(place: Elsewhere) -> None:
    async with opened(place.through) as link:
        log = await EventLog.open(link, NATSTER)
        newest = f"natster.events.{A}.none.none.*"
        (made,) = [initialized(A, "Ada", (MESSAGE_ID, "m"))]
        assert await log.append(made, expected_last=0, expected_subject=newest) == 1
        late = initialized(A, "Ada", (MESSAGE_ID, "late"))
        with pytest.raises(ConflictError):
            await log.append(late, expected_last=0, expected_subject=newest)
        assert await log.append(late, expected_last=1, expected_subject=newest) == 2
        messages = [BatchMessage(ENTRY, b"{}", 0)]
        assert await publish_batch(link, BUCKET, messages) == 1
        with pytest.raises(ConflictError):
            await publish_batch(link, BUCKET, messages)


async def test_streams_are_probed_side_by_side_and_once(place: Elsewhere) -> None:
    async with opened(place.through) as link:
        await EventLog.open(link, NATSTER)
        writers = [(StreamWriter(link, NATSTER.stream), initialized(A).subject)]
        writers.append((StreamWriter(link, f"KV_{BUCKET}"), ENTRY))
        began = time.monotonic()
        await asyncio.gather(*(writer.confirm(subject) for writer, subject in writers * 3))
        assert probe.SECOND_ANSWER_S <= time.monotonic() - began < 2 * probe.SECOND_ANSWER_S
        began = time.monotonic()
        await StreamWriter(link, NATSTER.stream).confirm(initialized(B).subject)
        assert time.monotonic() - began < probe.SECOND_ANSWER_S
    assert (await everything_in(place.inside))[NATSTER.stream][2]["messages"] == 0


async def test_a_missing_mapping_or_import_is_named_and_nothing_is_written(
    bare: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "FIRST_ANSWER_S", 0.3)
    before = await everything_in(bare.own), await everything_in(bare.inside)
    async with opened(bare.through) as link:
        log = await EventLog.open(link, NATSTER)
        with pytest.raises(MisplacedWriteError) as raised:
            await append(log, [initialized(A)])
        if bare.through.js_domain:
            assert "map $JS.hub.API.natster.events.> to natster.events.>" in str(raised.value)
        else:
            assert "import natster.events.> and $KV.> as JS.own.API." in str(raised.value)
            with pytest.raises(MisplacedWriteError, match=r"import natster"):
                await publish_batch(link, BUCKET, [BatchMessage(ENTRY, b"{}", 0)])
        assert raised.value.exit_code == 3
    assert (await everything_in(bare.own), await everything_in(bare.inside)) == before


async def test_two_streams_that_would_both_store_it_are_refused(leaf: HubAndLeaf) -> None:
    """A plain publish on a leaf node is stored by the hub as well."""
    place = await furnished(leaf.take(mapped=True))
    before = await everything_in(place.own), await everything_in(place.inside)
    for settings in (place.own, place.inside):
        async with opened(settings) as link:
            log = await EventLog.open(link, NATSTER)
            with pytest.raises(MisplacedWriteError, match=r"2 streams would store natster\.events"):
                await append(log, [initialized(A)])
    assert (await everything_in(place.own), await everything_in(place.inside)) == before


async def test_a_log_of_the_same_name_behind_a_leaf_node_is_not_the_one_that_is_shown(
    leaf: HubAndLeaf,
) -> None:
    """The leaf's own log has other subjects, so that only the hub's would take the event."""
    place = await furnished(leaf.take(mapped=True))
    async with opened(place.own) as link:
        await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
        await ask_jetstream(
            link,
            f"STREAM.CREATE.{NATSTER.stream}",
            {"name": NATSTER.stream, "subjects": ["edge.events.>"]},
        )
        log = await EventLog.open(link, NATSTER)
        with pytest.raises(MisplacedWriteError, match="stored by another NATSTER_EVENTS"):
            await append(log, [initialized(A)])
    assert (await everything_in(place.inside))[NATSTER.stream][2]["messages"] == 0


async def test_an_import_from_a_third_account_is_noticed_at_the_first_write(
    imports: ImportingAccounts,
) -> None:
    """Of what the third account holds the names are right, and the acknowledgements too."""
    place = await furnished(imports.crossed())
    before = (await everything_in(place.own))[NATSTER.stream][2]["messages"]
    async with opened(place.inside) as link:
        await append(await EventLog.open(link, NATSTER), [initialized(A), initialized(B)])
    async with opened(place.through) as link:
        log = await EventLog.open(link, NATSTER)
        for _again in range(2):
            with pytest.raises(MisplacedWriteError, match="stored by another NATSTER_EVENTS"):
                await append(log, [shared(A, B)])
        with pytest.raises(MisplacedWriteError, match="stored by another KV_PROJ_TEST"):
            await publish_batch(link, BUCKET, [BatchMessage(ENTRY, b"{}", 0)])
    third = await everything_in(place.own)
    assert third[NATSTER.stream][2]["messages"] == before + 1
    assert (await everything_in(place.inside))[NATSTER.stream][2]["messages"] == 2


async def test_no_write_beside_a_misplaced_one_is_taken_for_stored(
    imports: ImportingAccounts,
) -> None:
    place = await furnished(imports.crossed())
    async with opened(place.through) as link:
        writer = StreamWriter(link, NATSTER.stream)
        message = shared(A, B)
        writes = [writer.store(message.subject, b"%d" % n, what="an event") for n in range(3)]
        results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(each) for each in results] == [MisplacedWriteError] * 3


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"js_domain": "moon"}, "reaches no JetStream domain moon"),
        (
            {"js_api_prefix": "JS.moon.API"},
            "nothing answers below the JetStream API prefix JS",
        ),
    ],
)
async def test_an_unknown_domain_or_prefix_is_named(
    leaf: HubAndLeaf, settings: dict[str, str], sentence: str
) -> None:
    async with opened(replace(user(leaf.leaf, "bare0"), **settings)) as link:  # type: ignore[arg-type]
        with pytest.raises(ServerError, match=sentence):
            await EventLog.open(link, NATSTER)
