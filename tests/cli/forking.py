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
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from natster_tui import cli

_ROOT = Path(__file__).parents[2]
_STREAMS = 3
_LARGEST_REQUEST = 1_000_000


class Forge:
    """A process that forks runs of the program; it ends with the process that made it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cli.forking", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=_ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
            )

    async def run(
        self,
        arguments: Sequence[str | bytes],
        environment: Mapping[str, str],
        directory: Path,
        given: bytes,
        seconds: float,
    ) -> tuple[int, bytes, bytes]:
        """The exit code and what was written to the standard streams; raises TimeoutError."""
        request = {
            "arguments": [os.fsdecode(each) for each in arguments],
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
        os.write(telling, f"{pid}\n".encode())
        _pid, status = os.waitpid(pid, 0)
        os.write(telling, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(telling)
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    arguments, environment = request["arguments"], request["environment"]
    assert isinstance(arguments, list)
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(request["directory"]))
    tempfile.tempdir = None  # found again from the environment
    sys.argv = ["natster_tui", *arguments]
    sys.path.insert(0, "")


def main() -> None:
    """Import what commands without a screen import, then fork whenever it is asked for."""
    for found in pkgutil.iter_modules(cli.__path__, f"{cli.__name__}."):
        importlib.import_module(found.name)
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("natster_tui", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
