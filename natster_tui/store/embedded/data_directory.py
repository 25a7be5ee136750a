"""The files of an embedded server's data directory, and what each of them is for.

Only the owner can read them:

| file | content |
| --- | --- |
| `store/` | the server's encrypted store, and the sentinel that says whose it is |
| `server.token` | the token that clients log in with |
| `server.lock` | the lock of the process that runs the server |
| `server.json` | that process, and the server's address; only while the server may be used |
| `server.port` | the server's last port |
| `server.log` | the server's log, at most two files of LOG_BYTES each |
| `run/` | the configuration while the server starts, and the port that the system gave it |

Nothing else is ever deleted or replaced (`ownership`). None of them holds the store's key.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from natster_tui.store.embedded.ownership import (
    LOCK,
    LOG,
    MARK,
    PORT,
    RUN,
    RUNNING,
    SENTINEL,
    STORE,
    TOKEN_FILE,
    refuse_unless_ours,
)
from natster_tui.store.embedded.server_config import is_our_config, server_config
from natster_tui.store.embedded.state_files import (
    TOKEN,
    PortsFile,
    RunningFile,
    RunningServer,
    read_port,
)
from natster_tui.store.files.locks import open_locked
from natster_tui.store.files.private_files import make_private_directory, write_private
from natster_tui.store.sealing.key_file import KeyFile, default_key_file
from natster_tui.text.safe_text import safe_text

_PORTS_FILE = re.compile(r"nats-server(?:\.exe)?_(?P<pid>[0-9]{1,10})\.ports")
_CONFIG_FILE = re.compile(r"server\.conf|\.server\.conf\.[0-9a-f]{12}")
"""The configuration, or a draft of one whose process was killed."""
_TEMPORARY_DATA, _TEMPORARY_KEYS = "data", "keys.json"
"""The names of the data directory and the key file below the root of a temporary server."""
_LOG_LINE = re.compile(r"\[\d+\] \S+ \S+ \[(?P<level>[A-Z]{3})\] (?P<text>.*)")


def joined_demo(root: Path) -> tuple[Path, Path] | None:
    """The data directory and the key file of a temporary server below `root`; None if none."""
    data, key_file = root / _TEMPORARY_DATA, root / _TEMPORARY_KEYS
    return (data, key_file) if data.is_dir() and key_file.is_file() else None


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The files of one data directory. Only the holder of the lock may write."""

    path: Path
    key_file: KeyFile
    temporary_root: Path | None
    """The directory of both data and keys, removed when the server ends; None to keep them."""

    @classmethod
    def at(cls, path: Path, key_file: Path | None, *, temporary: bool) -> DataDirectory:
        """The files below `path`; the keys are in the user's own file by default.

        A `temporary` directory has its data and its keys below `path`, apart from each other.
        """
        path = path.absolute()
        if temporary:
            return cls(path / _TEMPORARY_DATA, KeyFile(path / _TEMPORARY_KEYS), path)
        return cls(path, KeyFile(key_file or default_key_file()), None)

    @property
    def temporary(self) -> bool:
        """Whether the directory is removed when the server ends."""
        return self.temporary_root is not None

    @property
    def store(self) -> Path:
        """The server's encrypted store."""
        return self.path / STORE

    @property
    def sentinel(self) -> Path:
        """The sentinel, which says whose store it is."""
        return self.store / SENTINEL

    @property
    def log_file(self) -> Path:
        """The server's log."""
        return self.path / LOG

    @property
    def run(self) -> Path:
        """The directory of files that exist only while the server starts."""
        return self.path / RUN

    @property
    def config_file(self) -> Path:
        """The server's configuration."""
        return self.run / "server.conf"

    @property
    def running_file(self) -> Path:
        """The file that says which process runs the server, and its address."""
        return self.path / RUNNING

    @property
    def token_file(self) -> Path:
        """The token that clients log in with."""
        return self.path / TOKEN_FILE

    @property
    def port_file(self) -> Path:
        """The file of the server's last port."""
        return self.path / PORT

    def create(self) -> None:
        """Make the directories, for their owner only, and mark them as ours.

        Raises UsageError, with nothing changed, if a file that we did not make has one of our
        names, or others may write there. Raises OSError too.
        """
        refuse_unless_ours(self.path)
        make_private_directory(self.path)
        lock = self.path / LOCK
        if not lock.exists():
            with contextlib.suppress(FileExistsError):  # another process made it just now
                write_private(lock, MARK, replace=False)
        elif lock.stat().st_size == 0:  # an earlier release left it empty
            lock.write_bytes(MARK)
        for directory in (self.store, self.run):
            make_private_directory(directory)

    def take_lock(self) -> int | None:
        """A descriptor that holds the lock; None if another process holds it."""
        return open_locked(self.path / LOCK)

    def read_running(self) -> RunningServer | None:
        """The server that `server.json` names, or None."""
        try:
            return RunningFile.model_validate_json(self.running_file.read_bytes()).running
        except (FileNotFoundError, ValidationError):
            return None

    def write_running(self, running: RunningServer) -> None:
        """Publish the server's address for other processes."""
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
        """Remove files that a killed server left behind.

        One of them may be a configuration of an earlier release, which held the store's key.
        """
        self.running_file.unlink(missing_ok=True)
        for left in self.run.iterdir():
            if _is_leftover(left):
                left.unlink()

    def last_port(self) -> int | None:
        """The port of the server that ran before, or None."""
        try:
            return read_port(self.port_file.read_bytes())
        except FileNotFoundError:
            return None

    def read_token(self) -> str | None:
        """The token; None if there is no valid one."""
        try:
            token = self.token_file.read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        return token if TOKEN.fullmatch(token) else None

    def obtain_token(self) -> str:
        """The token, kept from one server to the next so that clients can reconnect."""
        token = self.read_token()
        if token is None:
            token = f"t{secrets.token_hex(32)}"
            write_private(self.token_file, token.encode() + b"\n")
        return token

    def write_config(self, port: int, token: str) -> None:
        """Write the server's configuration; `port` is -1 for any."""
        config = server_config(
            port=port,
            token=token,
            store=self.store.name,
            run=self.run.name,
            log_file=self.log_file.name,
            durable=not self.temporary,
        )
        write_private(self.config_file, config)

    def announced_port(self) -> tuple[int, int] | None:
        """(the server's pid, its port) once it listens, else None."""
        for file in self.run.iterdir():
            if named := _PORTS_FILE.fullmatch(file.name):
                with contextlib.suppress(FileNotFoundError, ValidationError):
                    ports = PortsFile.model_validate_json(file.read_bytes())
                    return int(named["pid"]), ports.port
        return None

    def log_size(self) -> int:
        """The size of the log in bytes."""
        try:
            return self.log_file.stat().st_size
        except FileNotFoundError:
            return 0

    def failure_reason(self, start: int) -> str:
        """Why the server ended: the most useful line in its log after the first `start` bytes."""
        try:
            log = self.log_file.read_bytes()
        except FileNotFoundError:
            return "it logged nothing"
        lines = log[start if start <= len(log) else 0 :].decode("utf-8", "replace").splitlines()
        parsed = [(_LOG_LINE.match(line), line) for line in lines if line.strip()]
        for levels in (("FTL",), ("ERR",)):
            for match, _ in reversed(parsed):
                if match and match["level"] in levels:
                    return safe_text(match["text"], 300)
        # Errors before the log is open, such as a bad configuration, and panics.
        plain = [line for match, line in parsed if match is None]
        return safe_text(plain[0], 300) if plain else "it did not say why"


def _is_leftover(file: Path) -> bool:
    """Whether we or our server made a file in `run/`."""
    if not file.is_file() or file.is_symlink():
        return False
    if _CONFIG_FILE.fullmatch(file.name):
        return is_our_config(file.read_bytes())
    if _PORTS_FILE.fullmatch(file.name):
        try:
            PortsFile.model_validate_json(file.read_bytes())
        except ValidationError:
            return False
        return True
    return False
