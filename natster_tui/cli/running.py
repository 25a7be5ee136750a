"""Running a command's work, and reporting on stderr what it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from natster_tui.cli.saying import say
from natster_tui.store.connection.reporting import Reporter, reporting_to
from natster_tui.store.tasks import end_all

SAID_AFTER_S = 2.0
"""A wait is reported after so many seconds."""
LOOK_S = 0.25

_Result = TypeVar("_Result")


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a command's work and return its result.

    Changes to the server that the user did not ask for are reported at once, and waits after
    `SAID_AFTER_S`. Each is reported only once.
    """
    return asyncio.run(_reported(work))


async def _reported(work: Coroutine[Any, Any, _Result]) -> _Result:
    reporter = Reporter(say)
    telling = asyncio.create_task(_tell_waits(reporter))
    try:
        with reporting_to(reporter):
            return await work
    finally:
        await end_all([telling])


async def _tell_waits(reporter: Reporter) -> None:
    reported: set[str] = set()
    while True:
        await asyncio.sleep(LOOK_S)
        for what in reporter.waits(SAID_AFTER_S):
            if what not in reported:
                reported.add(what)
                say(what)
