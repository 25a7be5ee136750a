"""`keys rotate` and `keys erase`, killed with -9 before one step after another, and run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import WITH_TESTS, Program
from tests.faults.checker import digest_of, plain_client, read_stream
from tests.interrupting import KILLED
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, append, bound, context, initialized, shared
from tests.sealed_logs import SECRET, sealed_log

ENOUGH = 1_000
EVENTS = [
    initialized(A, "Ada"),
    bound(A, context(access_token=SECRET)),
    initialized(B, "Bob"),
    shared(A, B),
]


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys" / "keys.json")


@pytest.fixture
def natster(anywhere: Program, settings: ConnectionSettings, key_file: KeyFile) -> Program:
    # Its working directory is its home; the tests are elsewhere.
    named = anywhere.on(settings, "--key-file", str(key_file))
    return named.with_variables(dict([WITH_TESTS]))


async def start_over(link: Link, key_file: KeyFile) -> None:
    """The same sealed and projected log, whatever there was."""
    for stream in (await ask_jetstream(link, "STREAM.NAMES")).get("streams") or ():
        await ask_jetstream(link, f"STREAM.DELETE.{stream}")
    log = await sealed_log(link, key_file.path)
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "made")


async def what_the_log_is(settings: ConnectionSettings) -> tuple[object, str]:
    async with plain_client(settings) as client:
        info, records = await read_stream(client, "NATSTER_EVENTS")
    return info["created"], digest_of(records)


async def secret_shown(natster: Program) -> bool:
    shown = await natster.run("show", "account", A, "--reveal")
    assert shown.code == 0, shown
    return SECRET in shown.out


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("command", "every"), [(("rotate",), 6), (("erase", A, "--yes"), 12)])
async def test_killed_before_one_step_after_another(
    link: Link,
    settings: ConnectionSettings,
    natster: Program,
    key_file: KeyFile,
    command: tuple[str, ...],
    every: int,
) -> None:
    erasing = command[0] == "erase"
    for number in range(2, ENOUGH, every):
        await start_over(link, key_file)
        log = await what_the_log_is(settings)
        ended = await natster.stopping(number, key_file.path.parent).run("keys", *command)
        if ended.code != KILLED:
            assert ended.code == 0, ended
            break
        listed = await natster.run("keys", "list")
        if await secret_shown(natster):
            assert "erased" not in listed.out, number
        else:
            assert erasing
            assert "erased" in listed.out, number
        again = await natster.run("keys", *command)
        assert again.code == 0, again
        # The lease of a rebuild that was killed a moment ago is waited for.
        assert all("taken over after" in line for line in again.said.splitlines()), again
        assert await secret_shown(natster) is not erasing
        assert (await natster.succeed("verify")).code == 0
        assert (await natster.succeed("keys", "list")).code == 0
        assert await what_the_log_is(settings) == log, "it is not touched"
    assert number > 5 * every
