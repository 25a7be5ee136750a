"""What a projector says of itself: the words and figures that panes and commands show."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from natster_tui.events.parking import ParkedTally
from natster_tui.projections.diff import Diff


class Phase(StrEnum):
    """What a projector is doing, in the word that the screen shows."""

    WAITING = "waiting"
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
    names (None without a checkpoint), `problem` why it watches or stopped, `drift` the keys that
    differ where another program writes, `unusable` whether what is stored can only be rebuilt
    (what is shown is folded here), `awaits_lease` whether it watches only because another
    one projects, `conflicts` how often another projector was first, `last_error` what went wrong
    last, whether or not it does still, and `failed_at` when (monotonic seconds).
    """

    phase: Phase = Phase.WAITING
    position: int = 0
    stored: int | None = None
    parked: ParkedTally = field(default_factory=ParkedTally)
    problem: str = ""
    drift: Diff | None = None
    unusable: bool = False
    touched_by_others: bool = False
    awaits_lease: bool = False
    conflicts: int = 0
    commits: int = 0
    last_error: str = ""
    failed_at: float = 0.0
