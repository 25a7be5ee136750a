"""One answer after the other is altered under a running workspace, which must recover each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from natster_tui.engine.workspace import Workspace
from natster_tui.store.settings.connection import ConnectionSettings
from tests.altering import AlteringProxy, Frame
from tests.conftest import until
from tests.faults.arena import are_at
from tests.tui.running import append

RECOVERS_S = 10.0
"""So long after the last false answer everything must be right again."""
_LIVE_FRAMES = 40
"""Of the frames that come while all goes well, one of so many is altered."""
_ALTERED_S = 20.0


def is_no_content(frame: Frame) -> bool:
    """Whether it is not a delivered event or document.

    What a well-formed event or document says is believed: only a rebuild puts that right.
    """
    return len(frame.words) < 2 or not frame.words[1].startswith((b"natster.events.", b"$KV."))


@dataclass
class Liar:
    """What lies to a workspace whose log has `head` events, through a proxy."""

    proxy: AlteringProxy
    settings: ConnectionSettings
    workspace: Workspace
    head: int
    frames: int = 0
    """How many frames the server sends from the beginning of a connection on, about."""
    only: Callable[[Frame], bool] = lambda _frame: True
    """Which of them may be altered."""

    async def measure(self) -> None:
        """Count the frames of a new connection that may be altered."""
        self.proxy.alter(-1, 0, self.only)
        self.proxy.drop()
        await until(lambda: not are_at(self.workspace, self.head))
        await until(lambda: are_at(self.workspace, self.head))
        self.frames = self.proxy.passed

    async def lie(self, seed: object) -> float:
        """Alter one answer, then none; the seconds until all is committed again.

        Half of them are answers that a new connection begins with, the others come while events
        are projected. Raises AssertionError with what was altered if it takes too long.
        """
        random = Random(str(seed))
        begins = random.random() < 0.5
        among = self.frames if begins else _LIVE_FRAMES
        self.proxy.alter(random.randrange(among), random.random(), self.only)
        if begins:
            self.proxy.drop()
        await append(self.settings, self.head, 1)
        self.head += 1
        await until(lambda: self.proxy.did, _ALTERED_S)
        honest = time.monotonic()
        try:
            await until(lambda: are_at(self.workspace, self.head), RECOVERS_S)
        except AssertionError:
            raise AssertionError(f"{seed} [{self.proxy.did}] {self._told()}") from None
        return time.monotonic() - honest

    def _told(self) -> str:
        workspace = self.workspace
        projectors = "; ".join(
            f"{name}: {each.status.phase} at {each.status.stored} {each.status.problem}"
            for name, each in workspace.projectors.items()
        )
        return f"{workspace.connection} {workspace.sentence}; head {self.head}; {projectors}"
