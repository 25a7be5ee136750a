"""Suspending with Ctrl-Z, coming back with `fg`, and ending when the terminal is gone.

Textual's driver stops only its own process, although a job may have several, and paints nothing
after `fg`. It never notices that its terminal was closed: its reader then spins, and its writer
dies, so the next write blocks for ever.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Callable
from typing import IO, Any

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

CHECK_EVERY_S = 0.5
"""How often the driver checks that the terminal is still there."""


class _JobControl(LinuxDriver):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file: Any = _Output(self._file, self._terminal_is_gone)
        self._watch_terminal()
        self._watch_signals()

    # -- the end of the terminal -------------------------------------------------------

    def _watch_terminal(self) -> None:
        if is_hung_up(self.fileno):
            self._terminal_is_gone()
        else:
            self._loop.call_later(CHECK_EVERY_S, self._watch_terminal)

    def _terminal_is_gone(self) -> None:
        """Leave the application. Called from any thread, perhaps more than once."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._app.exit)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except OSError:
            self._terminal_is_gone()

    # -- suspending and coming back ----------------------------------------------------

    def _watch_signals(self) -> None:
        # Textual works inside the signal handler, which may have interrupted a write that holds
        # the lock it needs. Here the event loop does the work.
        signal.signal(signal.SIGTSTP, self._later(self._suspend))
        signal.signal(signal.SIGCONT, self._later(self._after_sigstop))

    def _later(self, act: Callable[[], None]) -> Callable[..., None]:
        def handler(*_arguments: object) -> None:
            self._loop.call_soon_threadsafe(act)

        return handler

    def _suspend(self) -> None:
        """Give the terminal back, and stop until the shell continues the job."""
        self.suspend_application_mode()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        # The signal goes to the whole job, as from the terminal: the shell may wait for a parent
        # process. The default action stops nothing if there is no shell to continue it.
        os.killpg(0, signal.SIGTSTP)
        self._watch_signals()
        self._resume()

    def _after_sigstop(self) -> None:
        """Continue after a SIGSTOP, which cannot be caught; the shell has used the screen."""
        self.suspend_application_mode()
        self._resume()

    def _resume(self) -> None:
        self.resume_application_mode()
        # The terminal shows the shell's output, so everything is painted again.
        for screen in self._app.screen_stack:
            screen.refresh(layout=True)


def with_job_control(driver: type[Driver]) -> type[Driver]:
    """A driver for the terminal with job control; other drivers are returned unchanged."""
    if not issubclass(driver, LinuxDriver):
        return driver
    return type(driver.__name__, (_JobControl, driver), {})


def is_hung_up(descriptor: int) -> bool:
    """Whether the other end of a terminal is closed."""
    look = select.poll()
    look.register(descriptor, 0)
    try:
        found = look.poll(0)
    except OSError:
        return True
    return any(mask & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _file, mask in found)


class _Output:
    """The output stream of the screen; after a failed write, everything written is dropped."""

    def __init__(self, file: IO[str], failed: Callable[[], None]) -> None:
        self._file = file
        self._failed = failed
        self._is_lost = False

    def write(self, text: str) -> None:
        self._do(lambda: self._file.write(text))

    def flush(self) -> None:
        self._do(self._file.flush)

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def _do(self, act: Callable[[], object]) -> None:
        if self._is_lost:
            return
        try:
            act()
        except (OSError, ValueError):
            self._is_lost = True
            self._point_nowhere()
            self._failed()

    def _point_nowhere(self) -> None:
        """Redirect the stream, so that flushing its buffer at exit cannot fail (exit code 120)."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, self._file.fileno())
        os.close(nowhere)
