"""Interrupting a rule that takes too long over one event.

A rule runs in the program's own thread, so a rule that hangs would hang the program. Each second an
alarm checks whether the rule is still at the same event; after five seconds it raises an error
inside the rule. It cannot interrupt a rule on a platform without alarms, outside the main thread,
or during one long call into C.
"""

from __future__ import annotations

import atexit
import signal
import threading
from collections.abc import Iterable
from types import FrameType
from typing import Any

from natster_tui.projections.api import Projection
from natster_tui.projections.keyed import KeyedProjection

LONGEST_S = 5
"""Seconds that a rule may take over one event."""


class RuleTooSlowError(Exception):
    """Raised inside a rule; the projection turns it into a sentence that names the event."""


def watch_rules(projections: Iterable[Projection[Any]]) -> None:
    """Watch the rules of projections that are not built in, as long as the program runs."""
    brought = [each for each in projections if isinstance(each, KeyedProjection)]
    if not brought or threading.current_thread() is not threading.main_thread():
        return
    if not hasattr(signal, "setitimer"):
        return
    ticks: dict[str, tuple[int, int]] = {}

    def check(_signal: int, _frame: FrameType | None) -> None:
        for projection in brought:
            at = projection.folding
            before, count = ticks.get(projection.name, (0, 0))
            count = count + 1 if at and at == before else 0
            ticks[projection.name] = at, count
            if count >= LONGEST_S:
                ticks[projection.name] = 0, 0
                raise RuleTooSlowError(f"it took more than {LONGEST_S} s over this event")

    # At exit Python removes its handlers first, and then the signal would end the process.
    atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, check)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
    # Python resumes an interrupted read or wait by itself.
    signal.siginterrupt(signal.SIGALRM, False)
