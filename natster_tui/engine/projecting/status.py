"""The status of a projector: the words and figures that panes and commands show."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from natster_tui.engine.foreign.other_projector import OtherProjector
from natster_tui.engine.leases.waiting import Waiting
from natster_tui.engine.projecting.decision import Reason
from natster_tui.engine.projecting.found_drift import FoundDrift
from natster_tui.engine.projecting.obstacles import Obstacle
from natster_tui.events.parking import ParkedTally
from natster_tui.projections.beside.drift import Drift


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

    `position` is the sequence folded so far, `stored` the one that the bucket's checkpoint
    names (None without a checkpoint), `drift` what differs where another program writes, `other`
    the consumer that it has, `found_drift` what a verify found in a projection of ours,
    `unusable` whether what is stored can only be rebuilt (what is shown is folded here),
    `reason` why it only watches, and `waiting` what it waits for where another process projects
    or the server has not answered. `obstacle` is why it watches or stopped, `checkpoint_problem`
    what is wrong with the stored checkpoint as of the last look at it. `conflicts`
    counts how often another projector was first; `last_error` is what went wrong last, whether or
    not it does still, and `failed_at` when (monotonic seconds).
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
        # Only a rebuild takes the mark away that another program had written.
        return found is not None and (self.touched_by_others or not found.touched)

    @property
    def problem(self) -> str:
        """Why nothing is written, or what is wrong with what is stored, to show; or empty."""
        obstacle = self.checkpoint_problem or self.obstacle
        return "" if obstacle is None else obstacle.sentence
