"""Workspaces with exactly the permissions that the documentation lists, on a real server.

One account with an administrator, an observer and a projector. The administrator listens to
what is asked of the server, so that the lists hold nothing that is not used.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.aio.msg import Msg

from natster_tui.engine.erasure import erase_account
from natster_tui.engine.foreign import takeover
from natster_tui.engine.history.document_history import key_history
from natster_tui.engine.log.export_events import export_lines
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.preflight import read_preflight
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import OneKey, WholeProjections
from natster_tui.engine.status import read_status
from natster_tui.engine.versions.dropping import drop_version
from natster_tui.engine.versions.promoting import Promotion
from natster_tui.engine.workspace import Connection, Workspace
from natster_tui.errors import DeniedError
from natster_tui.events.natster import NATSTER
from natster_tui.events.sealed_payload import Unopened
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.reading.stream_reader import StreamReader
from natster_tui.store.sealing.key_rotation import rotate
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.conftest import until
from tests.engine.permissions import (
    API_PREFIX,
    PERMISSIONS,
    account_of_its_own,
    exports,
    server_permissions,
)
from tests.engine.running import running
from tests.engine.versions.activities import BOTH, FIRST, SECOND, project_all
from tests.jetstream import ask_jetstream
from tests.making_logs import append, bound, initialized, shared
from tests.real_server import RealServer
from tests.sealed_logs import keyring_of, opened_with, sealed_log
from tests.subscribing import until_subscribed

FORGED = "natster.events.AA.BB.forged.catalog_shared"

LOOKS = {f"$JS.API.STREAM.MSG.GET.KV_{projection.bucket}" for projection in PROJECTIONS}
"""How a projector that only watches sees where the bucket stands."""

CONFIGURATION = f"""accounts {{ natster {{ jetstream: enabled, users: [
  {{ user: admin, password: admin }}
  {{ user: observer, password: observer, {server_permissions("observer")} }}
  {{ user: projector, password: projector, {server_permissions("projector")} }}
  {{ user: keyholder, password: keyholder, {server_permissions("keyholder")} }}
  {{ user: beside, password: beside, {server_permissions("beside")} }}
] }} }}
"""


@pytest.fixture(scope="module")
def natster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    real = RealServer(tmp_path_factory.mktemp("permissions"), CONFIGURATION)
    real.start()
    yield real
    real.stop()


@pytest_asyncio.fixture
async def admin(natster: RealServer) -> AsyncIterator[Client]:
    """A user who may do everything; what earlier tests stored is gone."""
    client = await nats.connect(natster.url, user="admin", password="admin")
    for stream in await client.jetstream().streams_info():
        assert stream.config.name
        await client.jetstream().delete_stream(stream.config.name)
    yield client
    await client.close()


@pytest_asyncio.fixture
async def log(natster: RealServer, admin: Client) -> AsyncIterator[EventLog]:
    """A log with a little in it, made by the administrator."""
    link = await Link.open(user(natster, "admin"))
    yield await made_log(link)
    await link.close()


async def made_log(link: Link) -> EventLog:
    made = await EventLog.create(link, NATSTER, LogSettings())
    await append(made, [initialized("AA", "Ann"), initialized("BB"), bound("AA")])
    await append(made, [shared("AA", "BB"), shared("BB", "AA", "movies"), shared("AA", "none")])
    return made


async def stored(log: EventLog) -> None:
    """Have the projections stored by the administrator."""
    rebuild = Rebuild(log, WholeProjections(PROJECTIONS), "admin")
    await rebuild.prepare()
    assert all(verdict.good for verdict in await rebuild.commit())


def user(natster: RealServer, name: str) -> ConnectionSettings:
    return ConnectionSettings(servers=(natster.url,), user=name, password=name, origin="flags")


def own_log(workspace: Workspace) -> EventLog:
    assert workspace.log is not None
    return workspace.log


@asynccontextmanager
async def opened(settings: ConnectionSettings) -> AsyncIterator[EventLog]:
    """The log under a user's permissions."""
    link = await Link.open(settings)
    try:
        yield await EventLog.open(link, NATSTER)
    finally:
        await link.close()


@asynccontextmanager
async def subjects_sent(admin: Client, *patterns: str) -> AsyncIterator[set[str]]:
    """Every subject that is asked of JetStream, or written below `$KV`, meanwhile."""
    subjects: set[str] = set()

    async def note(message: Msg) -> None:
        subjects.add(message.subject)

    subscriptions = [
        await admin.subscribe(name, cb=note) for name in patterns or ("$JS.API.>", "$KV.>")
    ]
    await until_subscribed(admin)
    yield subjects
    for subscription in subscriptions:
        await subscription.drain()  # type: ignore[no-untyped-call] # not annotated in nats-py


def unused(allowed: list[str] | set[str], subjects: set[str]) -> set[str]:
    """The permissions that none of the subjects needs."""

    def pattern(permission: str) -> str:
        return re.escape(permission).replace(r"\*", "[^.]+").replace(r"\.>", r"\..+")

    return {
        permission
        for permission in allowed
        if not any(re.fullmatch(pattern(permission), subject) for subject in subjects)
    }


async def contents(admin: Client) -> dict[str, Any]:
    """Every stream's settings and messages."""
    found: dict[str, Any] = {}
    for stream in await admin.jetstream().streams_info():
        name = stream.config.name
        assert name
        messages = []
        for seq in range(stream.state.first_seq, stream.state.last_seq + 1):
            try:
                message = await admin.jetstream().get_msg(name, seq)
            except nats.js.errors.NotFoundError:
                continue
            messages.append((seq, message.subject, message.data))
        found[name] = (stream.config, messages)
    return found


# -- what works --------------------------------------------------------------------------------


async def look_at_everything(log: EventLog) -> None:
    """All that only reads: the commands without a screen but `publish`, `import`, `project`."""
    status = await read_status(log, PROJECTIONS, "looking")
    assert {report.problem for report in status.projections} == {""}
    head = status.info.last_seq
    preflight = await read_preflight(log, PROJECTIONS, "looking")
    assert preflight.by_type["catalog_shared"] == head - 3
    rebuild = Rebuild(log, WholeProjections(PROJECTIONS), "looking")
    assert [bool(plan.diff) for plan in await rebuild.prepare()] == [False, False]
    assert [verdict.good for verdict in await rebuild.verify()] == [True, True]
    assert (await key_history(log, ACCOUNTS, "AA", head, "looking")).document is not None
    assert (await key_history(log, CATALOGS, "kevbuzz", head, "looking")).document is not None
    async with aclosing(export_lines(log, 1, "looking")) as lines:
        assert len([line async for line in lines]) == head


async def notice_silence(log: EventLog) -> None:
    """Read each stream's end with heartbeats so rare that the consumer is asked about."""

    async def read(stream: str) -> None:
        end = (await ask_jetstream(log.link, f"STREAM.INFO.{stream}"))["state"]["last_seq"]
        async with StreamReader(
            log.link, stream, end + 1, purpose="silence", instance="x", heartbeat_s=10
        ) as reader:
            reading = asyncio.ensure_future(anext(reader.batches()))
            await until(lambda: reader.restarts)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    await asyncio.gather(*map(read, (NATSTER.stream, "KV_PROJ_ACCOUNT", "KV_PROJ_CATALOG")))


async def test_an_observer_sees_everything_and_needs_each_of_its_permissions(
    natster: RealServer, log: EventLog, admin: Client
) -> None:
    await stored(log)
    before = await contents(admin)
    async with subjects_sent(admin) as subjects:
        async with running(user(natster, "observer"), read_only=True) as workspace:
            projectors = workspace.projectors.values()
            await until(
                lambda: all(
                    (p.status.phase, p.status.position, p.status.stored) == (Phase.WATCHING, 6, 6)
                    for p in projectors
                )
            )
            assert {p.status.problem for p in projectors} == {"read-only: nothing is written"}
            workspace.follower.want(1, 6)
            await until(lambda: workspace.follower.get(6) is not None)
            assert sorted(workspace.accounts) == ["AA", "BB"]
            await until(lambda: subjects >= LOOKS)
            assert workspace.problems == []
        async with opened(user(natster, "observer")) as watched:
            await look_at_everything(watched)
            await notice_silence(watched)
    assert unused(PERMISSIONS["observer"]["publish"], subjects) == set()
    assert await contents(admin) == before


async def test_an_observer_sees_events_come_in(natster: RealServer, log: EventLog) -> None:
    async with running(user(natster, "observer"), read_only=True) as workspace:
        await until(lambda: workspace.follower.head == 6)
        await append(log, [shared("AA", "BB", "live")])
        await until(lambda: workspace.follower.head == 7 and "live" in workspace.catalogs)
        assert workspace.problems == []


async def test_versions_side_by_side_need_the_permissions_that_are_listed_for_both(
    natster: RealServer, log: EventLog, admin: Client
) -> None:
    async with subjects_sent(admin) as subjects, opened(user(natster, "beside")) as own:
        await project_all(own, FIRST, placed_beside(SECOND))
        (report,) = (await read_status(own, [FIRST], "beside")).projections
        assert [version.version for version in report.beside] == [2]
        promotion = Promotion(own, BOTH, "beside")
        assert (await promotion.prepare()).compared is not None
        assert (await promotion.commit()).good
        assert await drop_version(own, BOTH, "beside")
    beside_it = {each for each in PERMISSIONS["beside"]["publish"] if "PROJ_ACTIVITY_v2" in each}
    assert unused(beside_it, subjects) == {
        # Only asked for while nothing comes in.
        "$JS.API.CONSUMER.INFO.KV_PROJ_ACTIVITY_v2.*"
    }


async def test_a_projector_does_all_its_work_and_needs_each_of_its_permissions(
    natster: RealServer, log: EventLog, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "QUIET_S", 0.0)
    # One bucket is another program's and is taken over, the other one is not there yet.
    store = await admin.jetstream().create_key_value(bucket="PROJ_ACCOUNT")
    await store.put("AA", b"{}")
    async with subjects_sent(admin) as subjects:
        async with opened(user(natster, "projector")) as own:
            rebuild = Rebuild(own, WholeProjections((ACCOUNTS,)), "x")
            await rebuild.prepare()
            assert [v.good for v in await rebuild.commit(Consent(take_over=True))] == [True]
        async with running(user(natster, "projector")) as workspace:
            projectors = workspace.projectors.values()
            await until(lambda: all(p.status.phase is Phase.PROJECTING for p in projectors))
            await append(log, [shared("AA", "BB", "live")])
            await until(lambda: all(p.status.stored == 7 for p in projectors))
            async with running(user(natster, "projector")) as second:
                await until(
                    lambda: all(
                        (p.status.phase, p.status.stored) == (Phase.WATCHING, 7)
                        for p in second.projectors.values()
                    )
                )
                await until(lambda: subjects >= LOOKS)
                assert second.leases["account"].holder == workspace.leases["account"].me
                assert second.problems == []
            work = workspace.rebuild(WholeProjections(PROJECTIONS))
            await work.prepare()
            verdicts = await work.commit(Consent(purge=True))
            assert [verdict.good for verdict in verdicts] == [True, True]
            one = workspace.rebuild(OneKey(ACCOUNTS, "AA"))
            assert [verdict.good for verdict in await one.commit()] == [True]
            await until(lambda: all(p.status.phase is Phase.PROJECTING for p in projectors))
            assert workspace.problems == []
        async with opened(user(natster, "projector")) as own:
            await look_at_everything(own)
            await notice_silence(own)
            with pytest.raises(DeniedError):
                await own.append(
                    shared("AA", "BB", "mine"), expected_last=7, expected_subject="natster.events.>"
                )
    # The taking over concerns one bucket here, and either in life.
    allowed = set(PERMISSIONS["projector"]["publish"])
    takes_over_catalogs = {"$JS.API.STREAM.UPDATE.KV_PROJ_CATALOG"}
    makes_accounts = {"$JS.API.STREAM.CREATE.KV_PROJ_ACCOUNT"}
    changes_leases = {"$JS.API.STREAM.UPDATE.KV_NATSTER_LEASE"}
    rare = takes_over_catalogs | makes_accounts | changes_leases
    assert unused(allowed, subjects) == rare
    assert (await log.refresh()).last_seq == 7


async def test_an_observer_without_read_only_watches_and_says_why(
    natster: RealServer, log: EventLog, admin: Client
) -> None:
    await stored(log)
    before = await contents(admin)
    async with running(user(natster, "observer")) as workspace:
        projectors = workspace.projectors.values()
        await until(
            lambda: all(
                (p.status.phase, p.status.position) == (Phase.WATCHING, 6) for p in projectors
            )
        )
        for projector in projectors:
            assert projector.status.problem.startswith("only watching: ")
            assert "does not permit observer to publish to" in projector.status.problem
        await append(log, [shared("AA", "BB", "live")])
        await until(lambda: "live" in workspace.catalogs)
        assert workspace.connection is Connection.CONNECTED
        assert all(p.status.phase is Phase.WATCHING for p in projectors)
        assert all(p.status.commits == 0 for p in projectors)
    after = await contents(admin)
    del before[NATSTER.stream], after[NATSTER.stream]
    assert after == before


async def test_a_key_holder_projects_rotates_and_erases_and_an_observer_sees_it_sealed(
    natster: RealServer, admin: Client, tmp_path: Path
) -> None:
    link = await Link.open(user(natster, "admin"))
    key_file = tmp_path / "keys.json"
    log = await sealed_log(link, key_file)
    await append(log, [initialized("AA", "Ann"), bound("AA"), shared("AA", "BB")])
    await link.close()
    async with subjects_sent(admin) as subjects, opened(user(natster, "keyholder")) as own:
        held = await opened_with(own, key_file)
        for projection in PROJECTIONS:
            rebuild = Rebuild(held, WholeProjections((projection,)), "keyholder")
            await rebuild.prepare()
            assert [verdict.good for verdict in await rebuild.commit()] == [True]
        await rotate(keyring_of(held))
        _, verdicts = await erase_account(held, "AA", PROJECTIONS, "keyholder")
        assert [verdict.good for verdict in verdicts] == [True, True]
        with pytest.raises(DeniedError):
            await held.append(shared("AA", "BB"), expected_last=3, expected_subject="natster.>")
    more = set(PERMISSIONS["keyholder"]["publish"]) - set(PERMISSIONS["projector"]["publish"])
    # The log's first writer made it; the other two are for silence, and for erased last keys.
    rare = ("STREAM.CREATE.KV_NATSTER_KEYS", "CONSUMER.INFO.KV_NATSTER_KEYS.*")
    rarer = "STREAM.MSG.GET.KV_NATSTER_KEYS"
    assert unused(more, subjects) <= {f"$JS.API.{subject}" for subject in (*rare, rarer)}
    async with opened(user(natster, "observer")) as own:
        seen = await opened_with(own, None)
        record = await seen.record_at(1)
        assert record is not None
        assert record.seal is not None
        assert record.seal.unopened is Unopened.UNAVAILABLE
        assert seen.sealing.problems


# -- what does not -----------------------------------------------------------------------------


def writes(*streams: str) -> list[tuple[str, bytes]]:
    """Every request to JetStream that changes a stream or removes from it."""
    bodies: dict[str, dict[str, object]] = {
        "STREAM.CREATE": {"subjects": ["other"]},
        "STREAM.UPDATE": {"max_msgs": 1, "discard": "old"},
        "STREAM.PURGE": {},
        "STREAM.DELETE": {},
        "STREAM.MSG.DELETE": {"seq": 1},
        "STREAM.SNAPSHOT": {"deliver_subject": "_INBOX.x"},
        "STREAM.RESTORE": {},
        "STREAM.LEADER.STEPDOWN": {},
    }
    return [
        (f"$JS.API.{verb}.{stream}", json.dumps({**body, "name": stream}).encode())
        for stream in streams
        for verb, body in bodies.items()
    ]


async def refused(settings: ConnectionSettings, attempts: list[tuple[str, bytes]]) -> list[str]:
    """Publish with a plain client; the subjects that the server refuses, as nats-py says them."""
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error))

    client = await nats.connect(
        settings.servers[0], user=settings.user, password=revealed(settings.password), error_cb=note
    )
    try:
        for subject, body in attempts:
            await client.publish(subject, body)
        await until(lambda: len(errors) >= len(attempts))
        await client.flush()
    finally:
        await client.close()
    denied = [re.search('permissions violation for publish to "(.*)"', line) for line in errors]
    return [match[1] for match in denied if match]


FORBIDDEN_TO_BOTH = [
    (FORGED, b""),
    ("natster.events.AA.none.none.natster_initialized", b""),
    *writes(NATSTER.stream, "KV_NATSTER_KEYS", "OTHER"),
    (f"$JS.API.CONSUMER.DURABLE.CREATE.{NATSTER.stream}.x", b"{}"),
    ("$KV.NATSTER_KEYS.AA", b"x"),
    ("natster.other", b"x"),
]
FORBIDDEN: dict[str, list[tuple[str, bytes]]] = {
    "observer": [
        *FORBIDDEN_TO_BOTH,
        *writes("KV_PROJ_ACCOUNT", "KV_PROJ_CATALOG", "KV_NATSTER_LEASE"),
        ("$KV.PROJ_ACCOUNT.AA", b"{}"),
        ("$KV.PROJ_ACCOUNT._checkpoint", b"{}"),
        ("$KV.PROJ_CATALOG.kevbuzz", b"{}"),
        ("$KV.NATSTER_LEASE.projector", b"{}"),
        ("$KV.NATSTER_LEASE.projector.account", b"{}"),
    ],
    "projector": [
        *FORBIDDEN_TO_BOTH,
        *(
            (f"$JS.API.STREAM.{verb}.KV_{bucket}", b"{}")
            for verb in ("DELETE", "MSG.DELETE", "SNAPSHOT", "RESTORE")
            for bucket in ("PROJ_ACCOUNT", "PROJ_CATALOG")
        ),
        ("$JS.API.STREAM.DELETE.KV_NATSTER_LEASE", b"{}"),
        ("$JS.API.STREAM.PURGE.KV_NATSTER_LEASE", b"{}"),
    ],
}


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_nobody_can_write_what_is_not_theirs(
    natster: RealServer, log: EventLog, admin: Client, name: str
) -> None:
    await stored(log)
    before = await contents(admin)
    attempts = FORBIDDEN[name]
    denied = await refused(user(natster, name), attempts)
    assert denied == [subject.lower() for subject, _body in attempts]
    assert await contents(admin) == before


# -- what permissions alone do not stop --------------------------------------------------------


async def reply_into(settings: ConnectionSettings, subjects: tuple[str, ...]) -> None:
    """Have the server write its answer to a permitted question where we may not."""
    prefix = settings.js_api_prefix or "$JS.API"
    client = await nats.connect(
        settings.servers[0], user=settings.user, password=revealed(settings.password)
    )
    for subject in subjects:
        await client.publish(f"{prefix}.STREAM.INFO.{NATSTER.stream}", b"", reply=subject)
    # The server answers one client's requests in order.
    await client.request(f"{prefix}.STREAM.INFO.{NATSTER.stream}", b"")
    await client.close()


async def test_a_reply_subject_is_not_checked_so_one_account_is_no_wall(
    natster: RealServer, log: EventLog
) -> None:
    # What the README says of this rests on the server's behaviour: we want to hear of a change.
    await reply_into(user(natster, "observer"), (FORGED,))
    async with asyncio.timeout(10):
        # The stream takes what the server publishes itself a little later.
        while await log.last_of_subject(FORGED) != 7:
            pass


@pytest.mark.parametrize("name", ["observer", "projector"])
async def test_in_an_account_of_their_own_they_work_and_cannot_even_do_that(
    tmp_path: Path, name: str
) -> None:
    real = RealServer(
        tmp_path,
        "accounts {\n natster { jetstream: enabled, users: [{ user: admin, password: admin }], "
        f"exports: [{exports(name, 'others')}\n] }}\n others {account_of_its_own(name, 'natster')}"
        "\n}\n",
    )
    real.start()
    try:
        link = await Link.open(user(real, "admin"))
        log = await made_log(link)
        own = replace(user(real, name), js_api_prefix=API_PREFIX)
        if name == "observer":
            await stored(log)
        async with running(own, read_only=name == "observer") as workspace:
            projectors = workspace.projectors.values()
            await until(
                lambda: all((p.status.position, p.status.stored) == (6, 6) for p in projectors)
            )
            await append(log, [shared("AA", "BB", "live")])
            await until(lambda: "live" in workspace.catalogs)
            if name == "projector":
                await until(lambda: all(p.status.stored == 7 for p in projectors))
                work = workspace.rebuild(WholeProjections(PROJECTIONS))
                await work.prepare()
                assert all(verdict.good for verdict in await work.commit())
            assert workspace.problems == []
        await reply_into(own, (FORGED, "$KV.PROJ_ACCOUNT.forged"))
        client = await nats.connect(real.url, user="admin", password="admin")
        found = await contents(client)
        await client.close()
        assert [subject for _seq, subject, _data in found[NATSTER.stream][1]].count(FORGED) == 0
        assert len(found[NATSTER.stream][1]) == 7
        assert "$KV.PROJ_ACCOUNT.forged" not in {
            subject for _seq, subject, _data in found["KV_PROJ_ACCOUNT"][1]
        }
        await link.close()
    finally:
        real.stop()
