"""The embedded server: a real nats-server on a data directory, for as long as its owner lives.

The first process that asks takes `server.lock`, starts the server through a guard
(`server_guard`) and owns it; the others on the same directory find it in `server.json` and share
it. Guard and server inherit the locked descriptor and the owner gives its own up, so the lock is
free exactly when no server runs on that store. Whoever was sharing calls `acquire` again when the
connection is lost: it takes the free lock and starts the server again, on the same port if it can,
so that everybody else's connections find it by themselves.

What lies in the data directory, all of it readable by its owner only:

| file | what |
| --- | --- |
| `store/` | the server's encrypted store, and the sentinel that says whose it is |
| `store.key` | the store's key, unless another file is named |
| `server.token` | what clients must show |
| `server.lock`, `server.json` | who runs it, and where; the second only while it may be used |
| `server.port` | the port it had last |
| `server.log` | what it says, at most two files of LOG_BYTES each |
| `run/` | its configuration while it starts, and the port that the system gave it |
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from natster_tui.domain.safe_text import safe_text
from natster_tui.errors import RefusedError, ServerError
from natster_tui.store import server_guard
from natster_tui.store.api_codes import STREAM_NOT_FOUND
from natster_tui.store.server_binary import find_server_binary
from natster_tui.store.store_sentinel import (
    NO_LOG_YET,
    RecordedLog,
    is_made_with,
    open_store,
    read_key,
    read_sentinel,
    write_private,
    write_sentinel,
)

MAX_PAYLOAD = 8 * 1024**2
MAX_PENDING = 128 * 1024**2
"""Bytes the server keeps for a client that reads slowly before it cuts it off."""
LOG_BYTES = 1024**2

SHARE_TIMEOUT = 5.0
"""Seconds to wait for a server that another process is starting or stopping."""
START_TIMEOUT = 60.0
"""Seconds for a server to become ready; only a long log after a power cut takes more than one."""

_POLL = 0.005
_ANSWER_TIMEOUT = 2.0
_STOP_TIMEOUT = server_guard.STOP_GRACE + 2.0
_ANY_PORT = -1
_HOST = "127.0.0.1"
_TOKEN = re.compile(r"t[0-9a-f]{64}")
_LOG_LINE = re.compile(r"\[\d+\] \S+ \S+ \[(?P<level>[A-Z]{3})\] (?P<text>.*)")
_INBOX = "_INBOX.natster"


class EmbeddedServer:
    """A server that this process owns or shares. Get one from `acquire`, end it with `close`."""

    def __init__(
        self,
        directory: _DataDirectory,
        running: _Running,
        token: str,
        *,
        guard: subprocess.Popen[bytes] | None = None,
        key: str | None = None,
    ) -> None:
        self.url = running.url
        self.token = token
        self.owned = guard is not None
        self.data_dir = directory.path
        self._directory = directory
        self._running = running
        self._guard = guard
        self._key = key

    def is_running(self) -> bool:
        """Whether this very server still runs, as far as its guard and its files tell."""
        if self._guard is not None and self._guard.poll() is not None:
            return False
        if self._directory.read_running() != self._running:
            return False
        lock = self._directory.take_lock()
        if lock is None:
            return True
        os.close(lock)
        return False

    def recorded_log(self) -> tuple[str, str] | None:
        """(stream, created) of the log that the store is known to hold; None before the first.

        Where there is one, `acquire` has seen the server report that stream.
        """
        recorded = read_sentinel(self._directory.sentinel)
        if recorded is None or recorded == NO_LOG_YET:
            return None
        return recorded.stream, recorded.created

    def record_log(self, stream: str, created: str) -> None:
        """Remember that the store holds this log; `created` as the server tells it.

        Repeating it writes nothing. A process that shares the server and was not given the
        store's key leaves it to one that was. Raises ServerError when it cannot be written.
        """
        log = RecordedLog(stream, created)
        if read_sentinel(self._directory.sentinel) == log:
            return
        try:
            if self._key is not None:
                write_sentinel(self._directory.sentinel, self._key, log)
            elif is_made_with(self._directory.sentinel, self._directory.key_file):
                write_sentinel(self._directory.sentinel, read_key(self._directory.key_file), log)
        except OSError as error:
            raise _unusable(self._directory.path, error) from error

    async def close(self) -> None:
        """Stop the server if it is ours, and wait until it has stopped. Can be repeated."""
        if self._guard is None:
            return
        await _end(self._guard)
        if self._directory.temporary:
            shutil.rmtree(self._directory.path, ignore_errors=True)


async def acquire(
    data_dir: Path, *, key_file: Path | None = None, temporary: bool = False
) -> EmbeddedServer:
    """The server on a data directory: started and owned, or shared with the process that did.

    `key_file` is where the store's key is, if not beside the data. A `temporary` directory is
    removed when the server ends. Raises RefusedError when the store must not be opened,
    NoServerBinaryError, and ServerError when no server comes up; a sentence each.
    """
    if sys.platform == "win32":
        raise ServerError(
            "the embedded server needs Linux or macOS: name a server with --server instead"
        )
    directory = _DataDirectory.at(data_dir, key_file, temporary=temporary)
    try:
        directory.create()
        return await _acquire(directory)
    except OSError as error:
        raise _unusable(directory.path, error) from error
    finally:
        if temporary and not directory.log_file.exists():  # it never came to a start
            shutil.rmtree(directory.path, ignore_errors=True)


async def acquire_temporary() -> EmbeddedServer:
    """A server of its own on a new directory, which is removed with it. Raises as `acquire`."""
    return await acquire(Path(tempfile.mkdtemp(prefix="natster-")), temporary=True)


def default_data_dir() -> Path:
    """Where the embedded server keeps its data unless told otherwise."""
    return Path(platformdirs.user_data_dir("natster-tui"))


@dataclass(frozen=True, slots=True)
class _Running:
    """A running server as `server.json` has it; `pid` is its owner's."""

    port: int
    server_id: str
    pid: int
    server_pid: int

    @property
    def url(self) -> str:
        return f"nats://{_HOST}:{self.port}"


@dataclass(frozen=True, slots=True)
class _DataDirectory:
    """The files of one data directory. Writing is for whoever holds the lock."""

    path: Path
    key_file: Path
    temporary: bool

    @classmethod
    def at(cls, path: Path, key_file: Path | None, *, temporary: bool) -> _DataDirectory:
        path = path.absolute()
        key_file = path / "store.key" if key_file is None else key_file.absolute()
        return cls(path, key_file, temporary)

    @property
    def store(self) -> Path:
        return self.path / "store"

    @property
    def sentinel(self) -> Path:
        return self.store / "sentinel.json"

    @property
    def log_file(self) -> Path:
        return self.path / "server.log"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def config_file(self) -> Path:
        return self.run / "server.conf"

    @property
    def running_file(self) -> Path:
        return self.path / "server.json"

    @property
    def token_file(self) -> Path:
        return self.path / "server.token"

    @property
    def port_file(self) -> Path:
        return self.path / "server.port"

    def create(self) -> None:
        for directory in (self.path, self.store, self.run):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def take_lock(self) -> int | None:
        """A descriptor that holds the lock, or None when somebody else does."""
        import fcntl  # not there on Windows, where this module must still be importable

        descriptor = os.open(self.path / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def read_running(self) -> _Running | None:
        try:
            value = json.loads(self.running_file.read_bytes())
            return _Running(
                int(value["url"].rpartition(":")[2]),
                str(value["server_id"]),
                int(value["pid"]),
                int(value["server_pid"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write_running(self, running: _Running) -> None:
        value = {
            "url": running.url,
            "token_file": str(self.token_file),
            "server_id": running.server_id,
            "pid": running.pid,
            "server_pid": running.server_pid,
        }
        write_private(self.running_file, json.dumps(value).encode() + b"\n")
        write_private(self.port_file, f"{running.port}\n".encode())

    def clear_running(self) -> None:
        """Remove what a server that was killed has left behind."""
        self.running_file.unlink(missing_ok=True)
        for left in self.run.iterdir():
            left.unlink()

    def last_port(self) -> int | None:
        try:
            return int(self.port_file.read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def read_token(self) -> str | None:
        try:
            token = self.token_file.read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        return token if _TOKEN.fullmatch(token) else None

    def obtain_token(self) -> str:
        """The token, kept from one server to the next so that clients can reconnect."""
        token = self.read_token()
        if token is None:
            token = f"t{secrets.token_hex(32)}"
            write_private(self.token_file, token.encode() + b"\n")
        return token

    def write_config(self, port: int, token: str, key: str) -> None:
        """The server's configuration. JSON is a subset of its format; paths are relative to us."""
        jetstream: dict[str, Any] = {
            "store_dir": self.store.name,
            "cipher": "aes",
            "key": key,
            # Without a limit of ours a log's max_bytes counts against three quarters of what is
            # free on the disk now, and is refused on a small one. A full disk tells by itself.
            "max_file_store": 1024**4,
        }
        if not self.temporary:  # what is thrown away need not survive a power cut
            jetstream["sync_interval"] = "always"
        config = {
            "host": _HOST,
            "port": port,
            "server_name": "natster-embedded",
            "ports_file_dir": self.run.name,
            "log_file": self.log_file.name,
            "logfile_size_limit": LOG_BYTES,
            "logfile_max_num": 2,
            "max_payload": MAX_PAYLOAD,
            "max_pending": MAX_PENDING,
            "authorization": {"token": token},
            "jetstream": jetstream,
        }
        write_private(self.config_file, json.dumps(config).encode())

    def announced_port(self) -> tuple[int, int] | None:
        """(the server's pid, its port), as soon as it listens."""
        for file in self.run.glob("*.ports"):
            with contextlib.suppress(FileNotFoundError, ValueError, KeyError, IndexError):
                url = str(json.loads(file.read_bytes())["nats"][0])
                return int(file.stem.rpartition("_")[2]), int(url.rpartition(":")[2])
        return None

    def log_size(self) -> int:
        try:
            return self.log_file.stat().st_size
        except FileNotFoundError:
            return 0

    def last_words(self, start: int) -> str:
        """The most telling line that the log got after its first `start` bytes."""
        try:
            log = self.log_file.read_bytes()
        except FileNotFoundError:
            return "it said nothing"
        lines = log[start if start <= len(log) else 0 :].decode("utf-8", "replace").splitlines()
        parsed = [(_LOG_LINE.match(line), line) for line in lines if line.strip()]
        for levels in (("FTL",), ("ERR",)):
            for match, _ in reversed(parsed):
                if match and match["level"] in levels:
                    return safe_text(match["text"], 300)
        # What comes before the log is open, such as a mistake in the configuration, and panics.
        plain = [line for match, line in parsed if match is None]
        return safe_text(plain[0], 300) if plain else "it did not say why"


async def _acquire(directory: _DataDirectory) -> EmbeddedServer:
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


async def _share(directory: _DataDirectory) -> EmbeddedServer | None:
    """The server that another process runs, if it is there to be used."""
    running, token = directory.read_running(), directory.read_token()
    if running is None or token is None or not _is_alive(running.pid):
        return None
    try:
        greeting = await _greet(running.port, token, server_id=running.server_id)
    except _NoAnswerError:
        return None
    return None if greeting is None else EmbeddedServer(directory, running, token)


async def _start(directory: _DataDirectory, lock: int) -> EmbeddedServer:
    """Start the server as the holder of the lock."""
    binary = find_server_binary()
    key = open_store(directory.store, directory.sentinel, directory.key_file)
    token = directory.obtain_token()
    directory.clear_running()
    # Clients of the server that ran before come back to its port, so it is tried first.
    for port in (directory.last_port(), _ANY_PORT):
        if port is None:
            continue
        directory.write_config(port, token, key)
        log_start = directory.log_size()
        guard = _spawn_guard(directory, binary, lock)
        try:
            running = await _wait_until_ready(directory, guard, token)
            directory.write_running(running)
        except _NotStartedError:
            await _end(guard)
            words = directory.last_words(log_start)
            if port != _ANY_PORT and "address already in use" in words:
                continue
            raise ServerError(
                f"the embedded server did not start: {words}; "
                f"its log is {_shown(directory.log_file)}"
            ) from None
        except BaseException:
            await _end(guard)
            raise
        finally:
            directory.config_file.unlink(missing_ok=True)  # it holds the key
        return EmbeddedServer(directory, running, token, guard=guard, key=key)
    raise AssertionError("unreachable: the system picks a port that is free")


def _spawn_guard(directory: _DataDirectory, binary: Path, lock: int) -> subprocess.Popen[bytes]:
    options = ["--withdraw", str(directory.running_file)]
    options += ["--remove", str(directory.path if directory.temporary else directory.config_file)]
    command = [str(binary), "-c", str(directory.config_file.relative_to(directory.path))]
    log = os.open(directory.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", server_guard.__file__, *options, "--", *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=directory.path,
            pass_fds=(lock,),
            # Away from the terminal: its Ctrl-C and hang-up are for the owner alone.
            start_new_session=True,
        )
    finally:
        os.close(log)


async def _wait_until_ready(
    directory: _DataDirectory, guard: subprocess.Popen[bytes], token: str
) -> _Running:
    deadline = time.monotonic() + START_TIMEOUT
    recorded = read_sentinel(directory.sentinel) or NO_LOG_YET
    while guard.poll() is None:
        announced = directory.announced_port()
        if announced is not None:
            server_pid, port = announced
            with contextlib.suppress(_NoAnswerError):
                greeting = await _greet(port, token, stream=recorded.stream)
                if greeting is not None:
                    if not greeting.has_stream:
                        raise _unreadable(directory, recorded)
                    return _Running(port, greeting.server_id, os.getpid(), server_pid)
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


@dataclass(frozen=True, slots=True)
class _Greeting:
    """What a server answers: its id, and whether it has the stream that was asked for."""

    server_id: str
    has_stream: bool


class _NoAnswerError(Exception):
    """Nobody is there, or not a server that takes our token."""


class _NotStartedError(Exception):
    """The server ended before it was ready."""


async def _greet(
    port: int, token: str, *, server_id: str = "", stream: str = ""
) -> _Greeting | None:
    """Log in, ask for a stream, leave. The few lines of protocol that readiness needs.

    None when another server than `server_id` is there; it is not shown the token. Raises
    _NoAnswerError.
    """
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            reader, writer = await asyncio.open_connection(_HOST, port)
            try:
                info = json.loads((await reader.readline()).removeprefix(b"INFO "))
                if server_id and info["server_id"] != server_id:
                    return None
                login = {"auth_token": token, "verbose": False, "pedantic": False, "name": "guard"}
                writer.write(f"CONNECT {json.dumps(login)}\r\nPING\r\n".encode())
                await _answer(reader, b"PONG")
                has_stream = not stream or await _has_stream(reader, writer, stream)
                return _Greeting(str(info["server_id"]), has_stream)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:  # TimeoutError is OSError
        raise _NoAnswerError from error


async def _has_stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: str
) -> bool:
    request = f"SUB {_INBOX} 1\r\nPUB $JS.API.STREAM.INFO.{stream} {_INBOX} 0\r\n\r\n"
    writer.write(request.encode())
    line = await _answer(reader, b"MSG ")
    error = json.loads(await reader.readexactly(int(line.split()[-1]))).get("error")
    if error is not None and error.get("err_code") != STREAM_NOT_FOUND:
        raise ValueError(error)
    return error is None


async def _answer(reader: asyncio.StreamReader, start: bytes) -> bytes:
    """The next line that begins like this; raises EOFError or ValueError when none will."""
    while line := await reader.readline():
        if line.startswith(start):
            return line
        if line.startswith(b"-ERR"):
            raise ValueError(line.decode("ascii", "replace"))
    raise EOFError


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unusable(path: Path, error: OSError) -> ServerError:
    return ServerError(
        f"the embedded server cannot use {safe_text(str(error.filename or path))} "
        f"({error.strerror or type(error).__name__}): make it accessible, "
        "or name another directory with --data-dir"
    )


def _unreadable(directory: _DataDirectory, recorded: RecordedLog) -> RefusedError:
    return RefusedError(
        f"the server cannot open the log {safe_text(recorded.stream)} in "
        f"{_shown(directory.store)}, though its files are there: the store is damaged, or part of "
        "it belongs to another key; it was stopped again and nothing was changed"
    )


def _shown(path: Path) -> str:
    return safe_text(str(path))
