"""Running a command's coroutine, and reporting on stderr what it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from natster_tui.cli.messages import say
from natster_tui.store.connection.reporting import Reporter, reporting_to
from natster_tui.store.tasks import end_all

REPORT_AFTER_S = 2.0
"""A wait is reported after so many seconds."""
POLL_S = 0.25

_Result = TypeVar("_Result")


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a command's work and return its result.

    Changes to the server that the user did not ask for are reported at once, and waits after
    `REPORT_AFTER_S`. Each is reported only once.
    """
    return asyncio.run(_reported(work))


async def _reported(work: Coroutine[Any, Any, _Result]) -> _Result:
    reporter = Reporter(say)
    reporting = asyncio.create_task(_report_waits(reporter))
    try:
        with reporting_to(reporter):
            return await work
    finally:
        await end_all([reporting])


async def _report_waits(reporter: Reporter) -> None:
    reported: set[str] = set()
    while True:
        await asyncio.sleep(POLL_S)
        for what in reporter.waits(REPORT_AFTER_S):
            if what not in reported:
                reported.add(what)
                say(what)
