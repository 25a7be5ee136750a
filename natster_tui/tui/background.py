"""What runs in the background: a function that makes the coroutine, not the coroutine itself.

A worker that is cancelled before its turn never comes to awaiting what it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from textual.dom import DOMNode
from textual.worker import WorkType

Work = Callable[[], Coroutine[None, None, None]]


def start(owner: DOMNode, work: Work, group: str) -> None:
    """Run something for as long as its owner lives; it ends the one before it in its group."""
    given: WorkType[None] = work
    owner.run_worker(given, exclusive=True, group=group)
