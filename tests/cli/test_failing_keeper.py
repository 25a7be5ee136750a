"""A lease keeper that fails ends what relies on it, with a sentence."""

from __future__ import annotations

from dataclasses import replace

from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.cli.terminal import Terminal
from tests.making_logs import A, append, initialized

SENTENCE = "internal error, please report it: RuntimeError"


async def test_the_dashboard_ends_and_says_why(
    natster: Program, log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, [initialized(A)])
    async with Terminal(replace(natster, module=("tests.failing_keeper",))) as terminal:
        assert await terminal.wait_for_end() == 1
        assert SENTENCE in " ".join(terminal.shown.split())
        assert "Traceback" not in terminal.shown
        assert terminal.is_restored


async def test_a_command_that_projects_ends_and_says_why(natster: Program, log: EventLog) -> None:
    await append(log, [initialized(A)])
    ended = await replace(natster, module=("tests.failing_keeper",)).run("project")
    assert ended.code == 1
    assert SENTENCE in ended.err
    assert "Traceback" not in ended.err
