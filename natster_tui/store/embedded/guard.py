"""The guard of an embedded server: runs it, and ends it when its owner is gone.

Run as a program, `python -I -S guard.py [--withdraw FILE] [--remove PATH]... -- COMMAND`,
with a pipe from the owner as standard input. Nothing is sent through the pipe; it ends when the
owner closes it, exits or is killed. Then the guard

1. removes the file to withdraw, so that no process finds a server that is about to end;
2. asks the server to stop, and kills it after STOP_GRACE seconds;
3. removes the other paths.

It does the same when the server ends by itself, and on SIGTERM, but then an owner that is still
alive removes the paths. The server inherits the guard's descriptors beyond the first three. The
owner's lock is one of them, so it is held until both are gone.

It uses only a little of the standard library, because it runs before every first paint.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable

STOP_GRACE = 3.0
"""Seconds between asking the server to stop and killing it. A killed server only starts slower."""

_OWNER_CHECK = 1.0
"""Seconds between checks of the parent process.

The pipe ends at once, unless a process forked from the owner still holds its other end.
"""

_OWNER_PIPE = 0
_PR_SET_PDEATHSIG = 1
_EXEC_FAILED = 127


class Server:
    """The server process, as the guard sees it."""

    def __init__(self, command: list[str]) -> None:
        self._pid = _spawn(command)
        # After the fork: a signal sent before the child runs the server would be lost.
        self._wake = _wake_on_signals()
        self._ended = False
        self.told_to_stop = False

    def ended(self) -> bool:
        """Whether it has ended; if so, this reaps it."""
        if not self._ended:
            self._ended = os.waitpid(self._pid, os.WNOHANG)[0] == self._pid
        return self._ended

    def send(self, number: int) -> None:
        """Send it a signal. It has not been reaped, so the pid is still its own."""
        os.kill(self._pid, number)

    def wait(self, seconds: float, *others: int) -> None:
        """Wait for a signal, for one of `others` to be readable, or for so many seconds."""
        ready, _, _ = select.select([self._wake, *others], [], [], max(seconds, 0))
        if self._wake in ready:
            self.told_to_stop |= signal.SIGTERM in os.read(self._wake, 512)


def _read(arguments: list[str]) -> tuple[list[str], list[str], list[str]]:
    """(files to withdraw, paths to remove, the server's command)."""
    split = arguments.index("--")
    options = list(zip(arguments[:split:2], arguments[1:split:2], strict=True))
    return (
        [path for option, path in options if option == "--withdraw"],
        [path for option, path in options if option == "--remove"],
        arguments[split + 1 :],
    )


def _spawn(command: list[str]) -> int:
    """Start the server in this session; returns its pid."""
    set_death_signal = _death_signal_setter()
    guard = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        set_death_signal()
        if os.getppid() != guard:  # it died before the death signal was set
            os._exit(0)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # ignored by every Python
        os.dup2(os.open(os.devnull, os.O_RDONLY), _OWNER_PIPE)
        os.execv(command[0], command)  # noqa: S606 - the owner's command, no shell wanted
    except OSError as error:
        os.write(2, f"[FTL] cannot run {command[0]}: {error.strerror}\n".encode())
    os._exit(_EXEC_FAILED)


def _death_signal_setter() -> Callable[[], object]:
    """A function that makes the calling process end when its parent does, on Linux."""
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            prctl = ctypes.CDLL(None).prctl
            return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    return lambda: None


def _wake_on_signals() -> int:
    """A descriptor that receives the numbers of signals that matter here."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return readable


def _owner_left(parent: int) -> bool:
    """Whether the owner has closed its end of the pipe, or is not our parent any more."""
    return os.getppid() != parent or bool(select.select([_OWNER_PIPE], [], [], 0)[0])


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 - see the top
        import shutil

        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108


def main(arguments: list[str]) -> None:
    """Run the server of these arguments until its owner ends or closes it."""
    parent = os.getppid()
    os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the owner's thread may have blocked some
    withdrawn, removed, command = _read(arguments)
    server = Server(command)
    while not (server.ended() or server.told_to_stop or _owner_left(parent)):
        server.wait(_OWNER_CHECK, _OWNER_PIPE)
    for path in withdrawn:
        _remove(path)
    if not server.ended():
        server.send(signal.SIGTERM)
        deadline = time.monotonic() + STOP_GRACE
        while not server.ended() and time.monotonic() < deadline:
            server.wait(deadline - time.monotonic())
        if not server.ended():
            server.send(signal.SIGKILL)
            while not server.ended():
                server.wait(_OWNER_CHECK)
    if _owner_left(parent):
        for path in removed:
            _remove(path)


if __name__ == "__main__":
    main(sys.argv[1:])
