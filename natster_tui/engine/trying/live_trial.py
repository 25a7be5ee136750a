"""Tried projections in a running workspace: folded live, and from the beginning at each save."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from natster_tui.engine.projecting.projector import Projector
from natster_tui.errors import ProjectionRefusedError
from natster_tui.projections.registering.tried import TriedFile
from natster_tui.store.log import EventLog
from natster_tui.store.tasks import end_all

POLL_S = 0.2
"""Seconds between two checks whether the file was saved."""


class LiveTrial:
    """Runs the projectors of a tried file, which write nothing.

    If a saved file cannot be used, the previous rules stay, and `report` is called with the reason.
    """

    def __init__(
        self, file: TriedFile, projectors: list[Projector], report: Callable[[str], None]
    ) -> None:
        self.file = file
        self._projectors = projectors
        self._report = report
        self.problem = ""
        """Why the file that was saved last cannot be used; empty if it can."""

    async def run(self, log: EventLog) -> None:
        """Fold until the link is lost, which is raised as ConnectionLostError."""
        while True:
            tasks = [asyncio.create_task(each.run(log)) for each in self._projectors]
            tasks.append(asyncio.create_task(self._until_saved()))
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()
            finally:
                await end_all(tasks)

    async def _until_saved(self) -> None:
        """Wait until the file was saved and its rules are in use."""
        while True:
            await asyncio.sleep(POLL_S)
            if self.file.was_saved():
                self.problem = ""
                try:
                    self.file.reload()
                except ProjectionRefusedError as error:
                    self.problem = error.sentence
                    self._report(error.sentence)
                else:
                    return
