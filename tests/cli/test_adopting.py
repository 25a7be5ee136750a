"""A deployment of the original service is read as it is, and not touched."""

from __future__ import annotations

import json
import signal

import nats

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.cli.program import Program, altered, together
from tests.cli.raw_jetstream import consumer_names, everything, stream_names
from tests.cli.reference_service import CONFIGS, deploy, recorded_documents, start_consumer

HUB = "AC5V4OC2POUAX4W4H7CKN5TQ5AKVJJ4AJ7XZKNER6P6DHKBYGVGJHSNC"
A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"


async def test_it_is_read_as_it_is_and_nothing_is_written(
    natster: Program, settings: ConnectionSettings
) -> None:
    await deploy(settings)
    before = await everything(settings)
    status, told, account, catalog, verify, rebuild, once = await together(
        natster.succeed("status"),
        natster.succeed("status", "--json"),
        natster.succeed("show", "account", A, "--json", "--reveal"),
        natster.succeed("show", "catalog", "kevbuzz", "--json"),
        natster.run("verify"),
        natster.run("rebuild", "--yes"),
        natster.fail(1, "project", "--once"),
    )
    assert await everything(settings) == before

    # Its log's hazards, and whose the projections are.
    assert "discard is old: a full log will forget its first events" in status.out
    assert "deny_delete and deny_purge not set" in status.out
    for bucket in ("PROJ_ACCOUNT", "PROJ_CATALOG"):
        assert f"{bucket} was written by another program: only watching" in status.out
    reports = told.json["projections"]
    assert [report["standing"] for report in reports] == ["another program's"] * 2
    assert [report["keys"] for report in reports] == [3, 2]

    # The documents as the log says, which is theirs where no difference applies.
    theirs = recorded_documents("01")
    assert catalog.json["document"] == theirs["PROJ_CATALOG"]["kevbuzz"]
    bound = account.json["document"]["bound_context"]
    assert bound == theirs["PROJ_ACCOUNT"][A]["bound_context"]

    # The drift: the hub in its own catalog, and times that its clock said.
    assert (verify.code, verify.err) == (1, "")
    assert verify.lines == [
        "account: drift at 10, 3 keys compared: 3 keys differ only as the reference service's "
        "rules explain",
        "catalog: drift at 10, 2 keys compared: 1 key differs only as the reference service's "
        "rules explain",
    ]

    # No way around asking for it.
    assert rebuild.code == 1
    assert "add --take-over to take it over" in rebuild.sentence
    assert "was written by another program" in once


READS_NO_LOG = """
from natster_tui.engine.rebuilding.rebuild import Rebuild

async def prepare(self):
    raise ValueError("the log was read")

Rebuild.prepare = prepare
"""


async def test_a_rebuild_is_refused_before_the_log_is_read(
    natster: Program, settings: ConnectionSettings
) -> None:
    await deploy(settings)
    for form in ((), ("--json",)):
        ended = await altered(natster, READS_NO_LOG).run("rebuild", "--yes", *form)
        assert ended.code == 1
        assert "add --take-over to take it over" in ended.sentence


async def test_it_is_watched_without_a_screen_and_nothing_is_written(
    natster: Program, settings: ConnectionSettings
) -> None:
    await deploy(settings)
    before = await everything(settings)
    watching = await natster.start("project")
    assert watching.stderr is not None
    told = ""
    while told.count(": watching") < 2:
        line = await watching.stderr.readline()
        assert line, told
        told += line.decode()
    assert "account: watching: PROJ_ACCOUNT was written by another program" in told
    assert "catalog: watching: PROJ_CATALOG was written by another program" in told
    watching.send_signal(signal.SIGINT)
    await watching.communicate()
    assert await everything(settings) == before
    assert await consumer_names(settings, "NATSTER_EVENTS") == []


async def test_no_stream_is_made_beside_its_own(
    natster: Program, settings: ConnectionSettings
) -> None:
    await deploy(settings)
    before = await stream_names(settings)
    await natster.fail(1, "project", "--once")
    assert await stream_names(settings) == before


async def test_taking_over_is_refused_while_it_writes(
    natster: Program, settings: ConnectionSettings
) -> None:
    await deploy(settings)
    before = await everything(settings)
    ended = await natster.run("rebuild", "--take-over", "--yes")
    assert ended.code == 1
    assert ended.sentence == (
        "another program wrote to PROJ_ACCOUNT within the last 30 s: stop it, then take over"
    )
    assert await everything(settings) == before


async def test_its_settings_are_those_that_were_recorded(settings: ConnectionSettings) -> None:
    await deploy(settings)
    held = await everything(settings)
    for stream in ("NATSTER_EVENTS", "KV_PROJ_ACCOUNT", "KV_PROJ_CATALOG"):
        made = held[stream]["config"]
        for name, value in CONFIGS[stream].items():
            if name != "metadata":
                assert made.get(name, value) == value, (stream, name)


async def test_status_says_what_is_stored_and_who_projects_it(
    natster: Program, settings: ConnectionSettings
) -> None:
    await deploy(settings)
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    await start_consumer(client, "PROJ_ACCOUNT")
    puller = await client.jetstream().pull_subscribe_bind("PROJ_ACCOUNT", "NATSTER_EVENTS")
    for message in await puller.fetch(3):
        await message.ack_sync()
    idle = await natster.succeed("status")
    assert "account     3 keys, stored by another program" in idle.lines
    assert "            consumer PROJ_ACCOUNT: lag 7" in idle.lines
    rules = "the reference service's rules explain"
    assert f"            drift: 3 keys differ only as {rules}" in idle.lines
    assert f"            drift: 1 key differs only as {rules}" in idle.lines
    assert "projector   no process" in idle.lines
    assert "natster-tui rebuild account --take-over takes it over" in idle.out
    for message in await puller.fetch(10):
        await message.ack_sync()
    inbox = await client.subscribe(client.new_inbox())
    asked = json.dumps({"batch": 1, "expires": 60_000_000_000}).encode()
    subject = "$JS.API.CONSUMER.MSG.NEXT.NATSTER_EVENTS.PROJ_ACCOUNT"
    await client.publish(subject, asked, reply=inbox.subject)
    await client.flush()
    working = await natster.succeed("status")
    await client.close()
    assert "            consumer PROJ_ACCOUNT: lag 0" in working.lines
    assert "projector   account: another program; catalog: no process" in working.lines
