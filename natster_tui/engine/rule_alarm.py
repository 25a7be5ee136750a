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
from natster_tui.projections.keyed import KeyedProjection, folding

LONGEST_S = 5
"""Seconds that a rule may take over one event."""
LOOK_S = 1.0
"""Seconds between two looks."""


class RuleTooSlowError(Exception):
    """Raised inside a rule; the projection turns it into a sentence that names the event."""


def watch_rules(projections: Iterable[Projection[Any]]) -> None:
    """Watch all rules as long as the program runs, if any of these projections is not built in."""
    if not any(isinstance(each, KeyedProjection) for each in projections):
        return
    if threading.current_thread() is not threading.main_thread():
        return
    if not hasattr(signal, "setitimer"):
        return
    before, count = 0, 0

    def check(_signal: int, _frame: FrameType | None) -> None:
        nonlocal before, count
        at = folding.seq
        count = count + 1 if at and at == before else 0
        before = at
        if count >= LONGEST_S / LOOK_S:
            before, count = 0, 0
            raise RuleTooSlowError(f"it took more than {LONGEST_S} s over this event")

    # At exit Python removes its handlers first, and then the signal would end the process.
    atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, check)
    signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)
    # Python resumes an interrupted read or wait by itself.
    signal.siginterrupt(signal.SIGALRM, False)
