"""Stopping a piece of work before any of its steps: what it asks a server, what it does to files.

A step is a request or message to the server, a subscription, or one of the calls with which a
private file is opened, made durable, put in its place and removed. Between two steps nothing
reaches outside, so that a run stopped before each of them in turn was stopped everywhere.

In this process (`Steps`), or for real: `python -m tests.interrupting STEP DIRECTORY ARGUMENT…`
runs `natster-tui` and has it killed with -9 before that step.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

from natster_tui.errors import ConnectionLostError
from natster_tui.store.connection.link import Link

KILLED = -signal.SIGKILL


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class How(StrEnum):
    """In what way the work is stopped."""

    KILLED = "killed"
    """Nothing that follows reaches outside, clean-up included."""
    CANCELLED = "cancelled"
    """By the person; what cleans up does so."""
    UNHEARD = "unheard"
    """The step is done, its answer is lost, and so is the connection."""


class Steps:
    """Counts steps, and stops the work at step number `at` (from 1; 0 for never)."""

    def __init__(self, at: int, directory: Path, how: How = How.KILLED) -> None:
        self.at = at
        self.count = 0
        self.stopped_at = ""
        """Before (or behind, see `How`) what it was stopped; empty if it ran to its end."""
        self._directory = directory
        self._how = how
        self._files: set[int] = set()

    def die(self) -> NoReturn:
        """End everything, now."""
        raise Killed

    def _take(self, what: str) -> bool:
        """Count a step; whether it is done and then unheard of."""
        if self.stopped_at and self._how is How.KILLED:
            self.die()
        self.count += 1
        if self.count != self.at:
            return False
        self.stopped_at = what
        match self._how:
            case How.KILLED:
                self.die()
            case How.CANCELLED:
                raise asyncio.CancelledError
        return True

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Whatever is done meanwhile is counted, and stopped."""
        with ExitStack() as stack:
            for name in ("request", "publish", "queue", "subscribe_raw"):
                stack.enter_context(patch.object(Link, name, self._asking(getattr(Link, name))))
            for name in ("open", "fsync", "replace", "link", "unlink"):
                stack.enter_context(patch.object(os, name, self._filing(name, getattr(os, name))))
            yield

    def _asking(self, original: Callable[..., Any]) -> Callable[..., Any]:
        async def ask(link: Link, subject: Any, *given: Any, **named: Any) -> Any:
            unheard = self._take(f"{original.__name__} {subject}"[:200])
            answer = await original(link, subject, *given, **named)
            if unheard:
                await link.close()
                raise ConnectionLostError(link.lost_sentence())
            return answer

        return ask

    def _filing(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(what: Any, *given: Any, **named: Any) -> Any:
            ours = what in self._files if name == "fsync" else self._is_ours(what)
            if ours and self._take(f"{name} {what}"):
                raise asyncio.CancelledError  # a file has no answer that could be lost
            result = original(what, *given, **named)
            if name == "open":
                (self._files.add if ours else self._files.discard)(result)
            return result

        return call

    def _is_ours(self, path: Any) -> bool:
        return isinstance(path, str | Path) and Path(path).is_relative_to(self._directory)


class _ForReal(Steps):
    def die(self) -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still there")


def main() -> None:
    from natster_tui.cli.main import run

    at, directory, *arguments = sys.argv[1:]
    sys.argv = ["natster-tui", *arguments]
    with _ForReal(int(at), Path(directory)).counted():
        run()


if __name__ == "__main__":
    main()
