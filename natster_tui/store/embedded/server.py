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
import errno
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from natster_tui.errors import MissingLogError, ServerError, UsageError
from natster_tui.store.embedded.data_directory import DataDirectory
from natster_tui.store.embedded.greeting import NoAnswerError, greet
from natster_tui.store.embedded.ownership import refuse_unless_ours
from natster_tui.store.embedded.sentinel import (
    NO_LOG_YET,
    RecordedLog,
    awaits_first_log,
    is_made_with,
    read_sentinel,
    write_sentinel,
)
from natster_tui.store.embedded.starting import StartedServer, start_server
from natster_tui.store.embedded.state_files import RunningServer
from natster_tui.store.embedded.store_watch import StoreProblem, StoreWatch
from natster_tui.store.user_directories import data_directory
from natster_tui.text.safe_text import safe_text

SHARE_TIMEOUT = 5.0
"""Seconds to wait for a server that another process is starting or stopping."""

_POLL = 0.02


class EmbeddedServer:
    """A server that this process owns or shares. Get one from `acquire`, end it with `close`."""

    def __init__(
        self,
        directory: DataDirectory,
        running: RunningServer,
        token: str,
        started: StartedServer | None = None,
    ) -> None:
        self.url = running.url
        self.token = token
        self.owned = started is not None
        self.data_dir = directory.path
        self.key_file = directory.key_file
        self._directory = directory
        self._running = running
        self._started = started
        self._watch = StoreWatch(directory.store, directory.log_file, running.server_pid)

    def is_running(self) -> bool:
        """Whether this server still runs, by its guard and its files."""
        if self._started is not None and not self._started.is_running:
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
        return self._watch.check()

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
            if self._started is not None:
                write_sentinel(self._directory.sentinel, self._started.key, log)
            elif is_made_with(self._directory.sentinel, self._directory.key_file):
                write_sentinel(self._directory.sentinel, self._directory.key_file.read().store, log)
        except OSError as error:
            raise _unusable(self._directory.path, error) from error

    async def close(self) -> None:
        """Stop the server if it is ours, and wait until it has stopped. Can be repeated."""
        if self._started is None:
            return
        await self._started.end()
        if self._directory.temporary_root is not None:
            shutil.rmtree(self._directory.temporary_root, ignore_errors=True)


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
        if directory.temporary_root is not None and not directory.log_file.exists():
            # No server was started.
            shutil.rmtree(directory.temporary_root, ignore_errors=True)


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
                started = await start_server(directory, lock)
                return EmbeddedServer(directory, started.running, started.token, started)
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
        await asyncio.sleep(_POLL)


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


def _shown(path: Path) -> str:
    return safe_text(str(path))
