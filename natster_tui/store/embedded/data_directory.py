"""The files of an embedded server's data directory, and what each of them is for.

What lies in the data directory, all of it readable by its owner only:

| file | what |
| --- | --- |
| `store/` | the server's encrypted store, and the sentinel that says whose it is |
| `server.token` | what clients must show |
| `server.lock`, `server.json` | who runs it, and where; the second only while it may be used |
| `server.port` | the port it had last |
| `server.log` | what it says, at most two files of LOG_BYTES each |
| `run/` | its configuration while it starts, and the port that the system gave it |
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from natster_tui.store.sealing.key_file import KeyFile, default_key_file
from natster_tui.store.sealing.private_files import make_private_directory, write_private
from natster_tui.text.safe_text import safe_text

HOST = "127.0.0.1"
MAX_PAYLOAD = 8 * 1024**2
MAX_PENDING = 128 * 1024**2
"""Bytes the server keeps for a client that reads slowly before it cuts it off."""
LOG_BYTES = 1024**2

_TOKEN = re.compile(r"t[0-9a-f]{64}")
_LOG_LINE = re.compile(r"\[\d+\] \S+ \S+ \[(?P<level>[A-Z]{3})\] (?P<text>.*)")


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A running server as `server.json` has it; `pid` is its owner's."""

    port: int
    server_id: str
    pid: int
    server_pid: int

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{HOST}:{self.port}"


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The files of one data directory. Writing is for whoever holds the lock."""

    path: Path
    key_file: KeyFile
    thrown_away: Path | None
    """What is removed when the server ends, data and keys; None to keep both."""

    @classmethod
    def at(cls, path: Path, key_file: Path | None, *, temporary: bool) -> DataDirectory:
        """The files below `path`; the keys are in the user's own file unless one is named.

        A `temporary` one has its data and its keys below `path`, apart from each other.
        """
        path = path.absolute()
        if temporary:
            return cls(path / "data", KeyFile(path / "keys.json"), path)
        return cls(path, KeyFile(key_file or default_key_file()), None)

    @property
    def temporary(self) -> bool:
        """Whether nothing here is worth keeping."""
        return self.thrown_away is not None

    @property
    def store(self) -> Path:
        """The server's encrypted store."""
        return self.path / "store"

    @property
    def sentinel(self) -> Path:
        """Whose store it is."""
        return self.store / "sentinel.json"

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self.path / "server.log"

    @property
    def run(self) -> Path:
        """What is there only while the server starts."""
        return self.path / "run"

    @property
    def config_file(self) -> Path:
        """The server's configuration, which holds the key."""
        return self.run / "server.conf"

    @property
    def running_file(self) -> Path:
        """Who runs the server, and where."""
        return self.path / "server.json"

    @property
    def token_file(self) -> Path:
        """What clients must show."""
        return self.path / "server.token"

    @property
    def port_file(self) -> Path:
        """The port it had last."""
        return self.path / "server.port"

    def create(self) -> None:
        """Make the directories, for their owner only."""
        for directory in (self.path, self.store, self.run):
            make_private_directory(directory)

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

    def read_running(self) -> RunningServer | None:
        """The server that `server.json` names, or None."""
        try:
            value = json.loads(self.running_file.read_bytes())
            return RunningServer(
                int(value["url"].rpartition(":")[2]),
                str(value["server_id"]),
                int(value["pid"]),
                int(value["server_pid"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write_running(self, running: RunningServer) -> None:
        """Tell the others where the server is."""
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
        """The port of the server that ran before, or None."""
        try:
            return int(self.port_file.read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def read_token(self) -> str | None:
        """The token, or None when there is none that is one."""
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
            "host": HOST,
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
        """Bytes in the log."""
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
