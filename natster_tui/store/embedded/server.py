"""The embedded server: a real nats-server on a data directory, for as long as its owner lives.

The first process takes `server.lock`, starts the server through a guard (`guard`) and owns it.
Other processes on the same directory find it in `server.json` and share it. The guard and the
server inherit the locked descriptor, and the owner closes its own, so the lock is free exactly
when no server runs on the store. A process that shared the server calls `acquire` again when its
connection is lost. It then takes the free lock and starts the server again, on the same port if
possible, so that the other clients can reconnect.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from natster_tui.errors import MissingLogError, RefusedError, ServerError, UsageError
from natster_tui.store.embedded import guard as server_guard
from natster_tui.store.embedded.binary import find_server_binary
from natster_tui.store.embedded.data_directory import DataDirectory
from natster_tui.store.embedded.greeting import NoAnswerError, greet
from natster_tui.store.embedded.kept_streams import KeptStreams, remove_unfinished_blocks
from natster_tui.store.embedded.ownership import refuse_unless_ours
from natster_tui.store.embedded.sentinel import (
    NO_LOG_YET,
    RecordedLog,
    awaits_first_log,
    is_made_with,
    open_store,
    read_sentinel,
    write_sentinel,
)
from natster_tui.store.embedded.server_config import KEY_VARIABLE
from natster_tui.store.embedded.state_files import RunningServer
from natster_tui.store.embedded.store_watch import StoreProblem, StoreWatch
from natster_tui.store.user_directories import data_directory
from natster_tui.text.safe_text import safe_text

SHARE_TIMEOUT = 5.0
"""Seconds to wait for a server that another process is starting or stopping."""
START_TIMEOUT = 60.0
"""Seconds for a server to become ready. One is enough, except for a long log after a power cut."""

_POLL = 0.005
_STOP_TIMEOUT = server_guard.STOP_GRACE + 2.0
_ANY_PORT = -1


class EmbeddedServer:
    """A server that this process owns or shares. Get one from `acquire`, end it with `close`."""

    def __init__(
        self,
        directory: DataDirectory,
        running: RunningServer,
        token: str,
        *,
        guard: subprocess.Popen[bytes] | None = None,
        key: str | None = None,
    ) -> None:
        self.url = running.url
        self.token = token
        self.owned = guard is not None
        self.data_dir = directory.path
        self.key_file = directory.key_file
        self._directory = directory
        self._running = running
        self._guard = guard
        self._key = key
        self._watch = StoreWatch(directory.store, directory.log_file, running.server_pid)

    def is_running(self) -> bool:
        """Whether this server still runs, by its guard and its files."""
        if self._guard is not None and self._guard.poll() is not None:
            return False
        if self._directory.read_running() != self._running:
            return False
        lock = self._directory.take_lock()
        if lock is None:
            return True
        os.close(lock)
        return False

    def store_problem(self) -> StoreProblem | None:
        """What keeps the server from storing; None if nothing does. Slower on a problem."""
        return self._watch.look()

    def recorded_log(self) -> tuple[str, str] | None:
        """(stream, created) of the log that the store is known to hold; None before the first.

        If there is one, `acquire` has checked that the server reports that stream.
        """
        recorded = read_sentinel(self._directory.sentinel)
        if recorded is None or recorded == NO_LOG_YET:
            return None
        return recorded.stream, recorded.created

    def record_log(self, stream: str, created: str) -> None:
        """Record that the store holds this log; `created` as reported by the server.

        Repeating it writes nothing. A process that shares the server without the store's key
        leaves it to one that has the key. Raises ServerError if it cannot be written.
        """
        log = RecordedLog(stream, created)
        if read_sentinel(self._directory.sentinel) == log:
            return
        try:
            if self._key is not None:
                write_sentinel(self._directory.sentinel, self._key, log)
            elif is_made_with(self._directory.sentinel, self._directory.key_file):
                write_sentinel(self._directory.sentinel, self._directory.key_file.read().store, log)
        except OSError as error:
            raise _unusable(self._directory.path, error) from error

    async def close(self) -> None:
        """Stop the server if it is ours, and wait until it has stopped. Can be repeated."""
        if self._guard is None:
            return
        await _end(self._guard)
        if self._directory.thrown_away is not None:
            shutil.rmtree(self._directory.thrown_away, ignore_errors=True)


async def acquire(
    data_dir: Path, *, key_file: Path | None = None, temporary: bool = False
) -> EmbeddedServer:
    """Start and own the server on a data directory, or share the one that runs there.

    `key_file` is the path of the keys, if not the user's own file. A `temporary` directory is
    removed when the server ends. Raises UsageError if the directory cannot be a data directory,
    RefusedError if the store must not be opened, NoServerBinaryError, and ServerError if no
    server starts.
    """
    if sys.platform == "win32":
        raise ServerError(
            "the embedded server needs Linux or macOS: name a server with --server instead"
        )
    directory = DataDirectory.at(data_dir, key_file, temporary=temporary)
    try:
        directory.create()
        return await _acquire(directory)
    except OSError as error:
        raise _unusable(directory.path, error) from error
    finally:
        if directory.thrown_away is not None and not directory.log_file.exists():
            # No server was started.
            shutil.rmtree(directory.thrown_away, ignore_errors=True)


def refuse_to_make_log(data_dir: Path) -> None:
    """Raise MissingLogError if starting the server would create a store; writes nothing."""
    directory = DataDirectory.at(data_dir, None, temporary=False)
    try:
        refuse_unless_ours(directory.path)
        empty = awaits_first_log(directory.store, directory.sentinel)
    except OSError as error:
        raise _unusable(directory.path, error) from error
    if empty:
        raise MissingLogError(
            f"there is no log in {_shown(directory.path)} yet, and --read-only makes none: start "
            "once without it"
        )


async def acquire_temporary() -> EmbeddedServer:
    """Start a server on a new directory that is removed with it. Raises as `acquire`."""
    return await acquire(Path(tempfile.mkdtemp(prefix="natster-")), temporary=True)


def default_data_dir() -> Path:
    """The default data directory of the embedded server.

    Raises UsageError for a user without a home directory.
    """
    directory = data_directory()
    if directory is None:
        raise UsageError(
            "there is no home directory for the embedded server's data: name one with "
            "--data-dir and a key file with --key-file, or a server with --server"
        )
    return directory


async def _acquire(directory: DataDirectory) -> EmbeddedServer:
    deadline = time.monotonic() + SHARE_TIMEOUT
    while True:
        lock = directory.take_lock()
        if lock is not None:
            try:
                return await _start(directory, lock)
            finally:
                os.close(lock)
        shared = await _share(directory)
        if shared is not None:
            return shared
        if time.monotonic() > deadline:
            raise ServerError(
                f"another natster-tui holds the server in {_shown(directory.path)}, but it did not "
                f"answer within {SHARE_TIMEOUT:g} s: try again, or end that process"
            )
        await asyncio.sleep(4 * _POLL)


async def _share(directory: DataDirectory) -> EmbeddedServer | None:
    """The server that another process runs, if it can be used."""
    running, token = directory.read_running(), directory.read_token()
    if running is None or token is None or not _is_alive(running.pid):
        return None
    try:
        greeting = await greet(running.port, token, server_id=running.server_id)
    except NoAnswerError:
        return None
    return None if greeting is None else EmbeddedServer(directory, running, token)


async def _start(directory: DataDirectory, lock: int) -> EmbeddedServer:
    """Start the server as the holder of the lock."""
    binary = find_server_binary()
    kept = KeptStreams(directory.store)
    kept.put_back()  # left by a start that was killed
    key = open_store(directory.store, directory.sentinel, directory.key_file)
    token = directory.obtain_token()
    directory.clear_running()
    remove_unfinished_blocks(directory.store)
    kept.keep()
    try:
        # Clients of the previous server reconnect to its port, so it is tried first.
        for port in (directory.last_port(), _ANY_PORT):
            if port is None:
                continue
            server = await _start_on(port, directory, binary, lock, token, key, kept)
            if server is not None:
                return server
    finally:
        kept.put_back()
    raise AssertionError("unreachable: the system picks a port that is free")


async def _start_on(
    port: int,
    directory: DataDirectory,
    binary: Path,
    lock: int,
    token: str,
    key: str,
    kept: KeptStreams,
) -> EmbeddedServer | None:
    """Start the server on a port; None if the port is taken."""
    directory.write_config(port, token)
    log_start = directory.log_size()
    guard = _spawn_guard(directory, binary, lock, key)
    try:
        async with contextlib.AsyncExitStack() as unless_ready:
            unless_ready.push_async_callback(_end, guard)
            running = await _wait_until_ready(directory, guard, token, kept)
            kept.drop()
            directory.write_running(running)
            unless_ready.pop_all()
    except _NotStartedError:
        words = directory.last_words(log_start)
        if port != _ANY_PORT and "address already in use" in words:
            return None
        raise ServerError(
            f"the embedded server did not start: {words}; its log is {_shown(directory.log_file)}"
        ) from None
    finally:
        directory.config_file.unlink(missing_ok=True)  # it holds the token
    return EmbeddedServer(directory, running, token, guard=guard, key=key)


def _spawn_guard(
    directory: DataDirectory, binary: Path, lock: int, key: str
) -> subprocess.Popen[bytes]:
    options = ["--withdraw", str(directory.running_file)]
    options += ["--remove", str(directory.thrown_away or directory.config_file)]
    command = [str(binary), "-c", str(directory.config_file.relative_to(directory.path))]
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    log = os.open(directory.log_file, flags, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", server_guard.__file__, *options, "--", *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=directory.path,
            pass_fds=(lock,),
            # The store's key reaches the server only this way, never in a file or an argument.
            env={**os.environ, KEY_VARIABLE: key},
            # Detached from the terminal: its Ctrl-C and hang-up are only for the owner.
            start_new_session=True,
        )
    finally:
        os.close(log)


async def _wait_until_ready(
    directory: DataDirectory, guard: subprocess.Popen[bytes], token: str, kept: KeptStreams
) -> RunningServer:
    deadline = time.monotonic() + START_TIMEOUT
    recorded = read_sentinel(directory.sentinel) or NO_LOG_YET
    while guard.poll() is None:
        announced = directory.announced_port()
        if announced is not None:
            server_pid, port = announced
            with contextlib.suppress(NoAnswerError):
                greeting = await greet(port, token, stream=recorded.stream)
                if greeting is not None:
                    if lost := kept.lost():
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


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unusable(path: Path, error: OSError) -> ServerError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ServerError(
            f"the disk of {_shown(path)} is full ({(error.strerror or '').lower()}), and the "
            "embedded server cannot be started: make room"
        )
    return ServerError(
        f"the embedded server cannot use {safe_text(str(error.filename or path))} "
        f"({error.strerror or type(error).__name__}): make it accessible, "
        "or name another directory with --data-dir"
    )


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
