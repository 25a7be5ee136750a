"""Runs of the program that begin after its imports, which are most of what a command costs.

A process of its own has imported everything and waits. For each run it forks: the copy has its own
environment, directory, standard streams and process id, and ends as any process does. That a
program can be started from nothing, tests find out that start one by `Program.start`.

This module is both ends: the tests use `Forge`, and `python -m tests.cli.forking FD` is the process
that forks.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from natster_tui import cli

ROOT = Path(__file__).parents[2]
SCREEN = "natster_tui.tui.app"
"""What the dashboard imports beside what all commands do, which takes most of a second."""

_STREAMS = 3
_LARGEST_REQUEST = 1_000_000


class Forked:
    """A run that was forked, seen as `subprocess.Popen` shows a process."""

    def __init__(self, news: socket.socket) -> None:
        self._news = news
        self.pid = int(news.recv(_LARGEST_REQUEST))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, None if it still runs."""
        if self.returncode is None and select.select([self._news], [], [], 0)[0]:
            self.returncode = int(self._news.recv(_LARGEST_REQUEST))
            self._news.close()
        return self.returncode

    def wait(self, timeout: float) -> int:
        """How it ended; raises TimeoutExpired."""
        if self.returncode is None and not select.select([self._news], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a forked run", timeout)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Forge:
    """A process that forks runs of the program; it ends with the process that made it.

    A command is a module and its arguments, as after `python -m`. `imports` are modules that it
    imports beside those of all commands.
    """

    def __init__(self, environment: Mapping[str, str], *imports: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cli.forking", str(theirs.fileno()), *imports],
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
            )

    async def run(
        self,
        command: Sequence[str | bytes],
        environment: Mapping[str, str],
        directory: Path,
        given: bytes,
        seconds: float,
    ) -> tuple[int, bytes, bytes]:
        """The exit code and what was written to the standard streams; raises TimeoutError."""
        request = {
            "command": [os.fsdecode(each) for each in command],
            "environment": dict(environment),
            "directory": str(directory),
        }
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
        ):
            stdin.write(given)
            stdin.seek(0)
            told, telling = os.pipe()
            with os.fdopen(told, "rb") as news:
                try:
                    fds = [stdin.fileno(), stdout.fileno(), stderr.fileno(), telling]
                    self._send(json.dumps(request).encode(), fds)
                finally:
                    os.close(telling)
                pid = int(await asyncio.to_thread(news.readline))
                ending = asyncio.create_task(asyncio.to_thread(news.readline))
                try:
                    code = int(await asyncio.wait_for(asyncio.shield(ending), seconds))
                except BaseException:
                    os.kill(pid, signal.SIGKILL)
                    await ending
                    raise
            stdout.seek(0)
            stderr.seek(0)
            return code, stdout.read(), stderr.read()

    def start_in_terminal(
        self,
        command: Sequence[str | bytes],
        environment: Mapping[str, str],
        directory: Path,
        terminal: int,
        *,
        ignores_hangup: bool,
    ) -> Forked:
        """Start a run whose terminal, and whose three streams, are an open one of this process."""
        request = {
            "command": [os.fsdecode(each) for each in command],
            "environment": dict(environment),
            "directory": str(directory),
            "in_terminal": True,
            "ignores_hangup": ignores_hangup,
        }
        news, telling = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with telling:
            self._send(json.dumps(request).encode(), [*[terminal] * _STREAMS, telling.fileno()])
        return Forked(news)

    def _send(self, request: bytes, fds: Sequence[int]) -> None:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))
        self._socket.sendmsg([request], [rights])


def serve(connection: socket.socket) -> None:
    """Fork a run for every request; returns in each of them, and when the tests have ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # they are not waited for here
    while True:
        request, fds, _flags, _address = socket.recv_fds(connection, _LARGEST_REQUEST, _STREAMS + 1)
        if not request:
            sys.exit()
        if os.fork() == 0:
            connection.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            become(json.loads(request), fds)
            return
        for fd in fds:
            os.close(fd)


def become(request: Mapping[str, object], fds: Sequence[int]) -> None:
    """Return as a child that is to run the program; this process tells how the child ended."""
    *streams, telling = fds
    pid = os.fork()
    if pid:
        for fd in streams:
            os.close(fd)
        os.write(telling, f"{pid}\n".encode())
        _pid, status = os.waitpid(pid, 0)
        os.write(telling, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(telling)
    if request.get("in_terminal"):
        os.setsid()
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    if request.get("in_terminal"):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        _open_streams()
    if request.get("ignores_hangup"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    command, environment = request["command"], request["environment"]
    assert isinstance(command, list)
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(str(request["directory"]))
    tempfile.tempdir = None  # found again from the environment
    sys.argv = command
    sys.path.insert(0, "")


def _open_streams() -> None:
    """Open the standard streams as for a terminal, which they were not when Python began."""
    for number, (name, mode, errors) in enumerate(
        (
            ("stdin", "r", "surrogateescape"),
            ("stdout", "w", "surrogateescape"),
            ("stderr", "w", "backslashreplace"),
        )
    ):
        stream = os.fdopen(number, mode, encoding="utf-8", errors=errors, closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def main() -> None:
    """Import what commands without a screen import, and more, then fork whenever asked to."""
    for found in pkgutil.iter_modules(cli.__path__, f"{cli.__name__}."):
        importlib.import_module(found.name)
    for name in sys.argv[2:]:
        importlib.import_module(name)
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
