"""Starting the embedded server on a data directory, as the holder of its lock.

The server runs under a guard (`guard`), which ends it with its owner. The guard and the server
inherit the locked descriptor.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from natster_tui.errors import RefusedError, ServerError
from natster_tui.store.embedded import guard as server_guard
from natster_tui.store.embedded.binary import find_server_binary
from natster_tui.store.embedded.data_directory import DataDirectory
from natster_tui.store.embedded.greeting import NoAnswerError, greet
from natster_tui.store.embedded.kept_streams import KeptStreams, remove_unfinished_blocks
from natster_tui.store.embedded.sentinel import NO_LOG_YET, RecordedLog, open_store, read_sentinel
from natster_tui.store.embedded.server_config import KEY_VARIABLE
from natster_tui.store.embedded.state_files import RunningServer
from natster_tui.text.safe_text import safe_text

START_TIMEOUT = 60.0
"""Seconds for a server to become ready. One is enough, except for a long log after a power cut."""

_POLL = 0.005
_STOP_TIMEOUT = server_guard.STOP_GRACE + 2.0
_ANY_PORT = -1


@dataclass(frozen=True, slots=True)
class StartedServer:
    """A server that this process started. `key` is the store's."""

    running: RunningServer
    token: str
    key: str
    guard: subprocess.Popen[bytes]

    @property
    def is_running(self) -> bool:
        """Whether its guard still runs."""
        return self.guard.poll() is None

    async def end(self) -> None:
        """Stop the server, and wait until it has stopped. Can be repeated."""
        await _end(self.guard)


async def start_server(directory: DataDirectory, lock: int) -> StartedServer:
    """Start the server; `lock` is the descriptor that holds the directory's lock.

    Raises RefusedError if the store must not be opened or is damaged, ServerError if the server
    does not start, NoServerBinaryError, and OSError.
    """
    binary = find_server_binary()
    kept = KeptStreams(directory.store)
    kept.restore()  # left by a start that was killed
    key = open_store(directory.store, directory.sentinel, directory.key_file)
    start = _Start(directory, binary, lock, directory.obtain_token(), key, kept)
    directory.clear_running()
    remove_unfinished_blocks(directory.store)
    kept.keep()
    try:
        # Clients of the previous server reconnect to its port, so it is tried first.
        for port in (directory.last_port(), _ANY_PORT):
            if port is not None and (started := await start.on(port)) is not None:
                return started
    finally:
        kept.restore()
    raise AssertionError("unreachable: the system picks a port that is free")


@dataclass(frozen=True, slots=True)
class _Start:
    """What one start of the server needs."""

    directory: DataDirectory
    binary: Path
    lock: int
    token: str
    key: str
    kept: KeptStreams

    async def on(self, port: int) -> StartedServer | None:
        """Start the server on a port; None if the port is taken."""
        directory = self.directory
        directory.write_config(port, self.token)
        log_start = directory.log_size()
        guard = self._spawn_guard()
        try:
            async with contextlib.AsyncExitStack() as unless_ready:
                unless_ready.push_async_callback(_end, guard)
                running = await self._wait_until_ready(guard)
                self.kept.drop()
                directory.write_running(running)
                unless_ready.pop_all()
        except _NotStartedError:
            reason = directory.failure_reason(log_start)
            if port != _ANY_PORT and "address already in use" in reason:
                return None
            raise ServerError(
                f"the embedded server did not start: {reason}; "
                f"its log is {_shown(directory.log_file)}"
            ) from None
        finally:
            directory.config_file.unlink(missing_ok=True)  # it holds the token
        return StartedServer(running, self.token, self.key, guard)

    def _spawn_guard(self) -> subprocess.Popen[bytes]:
        directory = self.directory
        options = ["--withdraw", str(directory.running_file)]
        options += ["--remove", str(directory.temporary_root or directory.config_file)]
        command = [str(self.binary), "-c", str(directory.config_file.relative_to(directory.path))]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        log = os.open(directory.log_file, flags, 0o600)
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", server_guard.__file__, *options, "--", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=directory.path,
                pass_fds=(self.lock,),
                # The store's key reaches the server only this way, never in a file or an argument.
                env={**os.environ, KEY_VARIABLE: self.key},
                # Detached from the terminal: its Ctrl-C and hang-up are only for the owner.
                start_new_session=True,
            )
        finally:
            os.close(log)

    async def _wait_until_ready(self, guard: subprocess.Popen[bytes]) -> RunningServer:
        directory = self.directory
        deadline = time.monotonic() + START_TIMEOUT
        recorded = read_sentinel(directory.sentinel) or NO_LOG_YET
        while guard.poll() is None:
            announced = directory.announced_port()
            if announced is not None:
                server_pid, port = announced
                with contextlib.suppress(NoAnswerError):
                    greeting = await greet(port, self.token, stream=recorded.stream)
                    if greeting is not None:
                        if lost := self.kept.lost():
                            raise _removed(directory, lost)
                        if not greeting.has_stream:
                            raise _unreadable(directory, recorded)
                        return RunningServer(port, greeting.server_id, os.getpid(), server_pid)
            if time.monotonic() > deadline:
                raise ServerError(
                    f"the embedded server was not ready within {START_TIMEOUT:g} s; "
                    f"its log is {_shown(directory.log_file)}"
                )
            await asyncio.sleep(_POLL)
        raise _NotStartedError


async def _end(guard: subprocess.Popen[bytes]) -> None:
    """Let the guard stop the server, and wait for both."""
    if guard.stdin is not None:
        guard.stdin.close()
    if not await _until(lambda: guard.poll() is not None, _STOP_TIMEOUT):
        guard.kill()
        await _until(lambda: guard.poll() is not None, _STOP_TIMEOUT)


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL)
    return True


class _NotStartedError(Exception):
    """The server ended before it was ready."""


def _unreadable(directory: DataDirectory, recorded: RecordedLog) -> RefusedError:
    return RefusedError(
        f"the server cannot open the log {safe_text(recorded.stream)} in "
        f"{_shown(directory.store)}, though its files are there: the store is damaged, or part of "
        "it belongs to another key; it was stopped again and nothing was changed"
    )


def _removed(directory: DataDirectory, streams: list[str]) -> RefusedError:
    named = ", ".join(safe_text(stream) for stream in streams)
    return RefusedError(
        f"the server could not read {named} in {_shown(directory.store)} and removed the files; it "
        "was stopped again and they were put back: the store is damaged, restore it from a backup; "
        f"the server's log is {_shown(directory.log_file)}"
    )


def _shown(path: Path) -> str:
    return safe_text(str(path))
