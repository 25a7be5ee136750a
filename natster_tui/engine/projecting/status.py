"""The status of a projector, for panes and commands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from natster_tui.engine.foreign.other_projector import OtherProjector
from natster_tui.engine.leases.waiting import Waiting
from natster_tui.engine.projecting.decision import Reason
from natster_tui.engine.projecting.found_drift import FoundDrift
from natster_tui.engine.projecting.obstacles import Obstacle
from natster_tui.errors import NatsterError
from natster_tui.events.parking import ParkedTally
from natster_tui.projections.reference_service.drift import Drift


class Phase(StrEnum):
    """What a projector is doing, in the word that the screen shows."""

    OFFLINE = "offline"
    LOADING = "loading"
    CATCHING_UP = "catching up"
    PROJECTING = "projecting"
    WATCHING = "watching"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(slots=True)
class ProjectorStatus:
    """What the panes show of a projector.

    `position` is the sequence folded so far, and `stored` that of the stored checkpoint (None
    without one). `drift` and `other` describe another program that writes the bucket: how its
    documents differ, and its consumer. `found_drift` is what a verify found in a projection of
    ours. `unusable`: what is stored can only be rebuilt, and what is shown is folded here.

    `reason` is why it only watches, and `waiting` what it waits for: another process, or the
    server's answer. `obstacle` is why it watches or stopped, and `checkpoint_problem` what was
    wrong with the stored checkpoint when it was last read. `conflicts` counts how often another
    projector wrote first. `last_error` is the last error, which may be over, and `failed_at` its
    time (monotonic seconds).
    """

    phase: Phase = Phase.OFFLINE
    position: int = 0
    stored: int | None = None
    parked: ParkedTally = field(default_factory=ParkedTally)
    obstacle: Obstacle | None = None
    checkpoint_problem: Obstacle | None = None
    reason: Reason | None = None
    waiting: Waiting | None = None
    drift: Drift | None = None
    found_drift: FoundDrift | None = None
    other: OtherProjector | None = None
    unusable: bool = False
    touched_by_others: bool = False
    conflicts: int = 0
    commits: int = 0
    last_error: str = ""
    failed_at: float = 0.0

    @property
    def has_found_drift(self) -> bool:
        """Whether a verify found drift that no rebuild has removed since."""
        found = self.found_drift
        # The mark that another program has written goes away only with a rebuild.
        return found is not None and (self.touched_by_others or not found.touched)

    @property
    def problem(self) -> str:
        """Why nothing is written, or what is wrong with what is stored, to show; or empty."""
        obstacle = self.checkpoint_problem or self.obstacle
        return "" if obstacle is None else obstacle.sentence


class StatusReporter:
    """Changes the status of a projector; `notify` is called at every change."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self.status = ProjectorStatus()
        self.version = 0
        """Incremented at each change, so that readers can skip a refresh when nothing changed."""
        self.error: NatsterError | None = None
        """The last error that stopped the projector, or keeps it from writing."""
        self._notify = notify

    def notify(self) -> None:
        """Note that the projector or its status has changed."""
        self.version += 1
        self._notify()

    def enter(self, phase: Phase, obstacle: Obstacle | None = None) -> None:
        """Begin a phase."""
        self.status.phase = phase
        self.status.obstacle = obstacle
        if phase is not Phase.WATCHING:
            self.status.reason = self.status.waiting = None
        self.notify()

    def failed(self, error: NatsterError) -> None:
        """Note an error."""
        # Its traceback and its causes would keep a rebuild and all of its states in memory.
        error.__cause__ = error.__context__ = None
        self.error = error.with_traceback(None)
        self.status.last_error, self.status.failed_at = error.sentence, time.monotonic()
