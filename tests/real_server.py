"""A real nats-server for the tests: one for all, an account of its own for every test.

Accounts do not see each other's streams, so tests share a process and still start from nothing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from natster_tui.store.embedded.binary import find_server_binary
from natster_tui.store.settings.connection import ConnectionSettings

ACCOUNTS = 800


@dataclass
class RealServer:
    """A nats-server on a free loopback port, with its store in `directory`."""

    directory: Path
    extra: str = ""
    max_payload: str = "8MB"
    port: int = -1
    domain: str = ""
    """Its JetStream domain."""
    max_file_store: str = "1PB"
    """Every log reserves its max_bytes; hundreds of them must fit on a small disk."""
    _process: subprocess.Popen[bytes] | None = None
    _next: int = 0
    url: str = ""

    def start(self) -> None:
        ports = self._write_configuration()
        for old in ports.iterdir():
            old.unlink()
        self._launch(ports)

    def reload(self, extra: str) -> None:
        """Have the running server take another configuration."""
        self.extra = extra
        self._write_configuration()
        self.signal(signal.SIGHUP)

    def _write_configuration(self) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        ports = self.directory / "ports"
        ports.mkdir(exist_ok=True)
        accounts = "\n".join(
            f"a{i} {{ jetstream: enabled, users: [{{user: u{i:03}, password: p{i}}}] }}"
            for i in range(ACCOUNTS)
        )
        body = self.extra or f"accounts {{ {accounts} }}"
        store = json.dumps(str(self.directory / "js"))
        domain = f", domain: {self.domain}" if self.domain else ""
        (self.directory / "server.conf").write_text(
            f"host: 127.0.0.1\nport: {self.port}\nports_file_dir: {json.dumps(str(ports))}\n"
            f"max_payload: {self.max_payload}\n"
            f"jetstream {{ max_file_store: {self.max_file_store}, store_dir: {store}{domain} }}\n"
            + body
        )
        return ports

    def _launch(self, ports: Path) -> None:
        log = (self.directory / "server.log").open("ab")
        self._process = subprocess.Popen(
            [str(find_server_binary()), "-c", str(self.directory / "server.conf")],
            stdout=log,
            stderr=log,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            files = list(ports.glob("*.ports"))
            if files and (text := files[0].read_text()):
                self.url = json.loads(text)["nats"][0]
                self.port = int(self.url.rsplit(":", 1)[1])
                return
            time.sleep(0.005)  # the server announces its port in a file, and in no other way
        self.stop(signal.SIGKILL)
        raise RuntimeError((self.directory / "server.log").read_text()[-2000:])

    def stop(self, sig: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(sig)
            self._process.wait(10)
            self._process = None

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def signal(self, sig: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, sig)

    def new_account(self) -> ConnectionSettings:
        """Settings for an account that nobody has used yet."""
        number = self._next
        self._next += 1
        return ConnectionSettings(
            servers=(self.url,), user=f"u{number:03}", password=f"p{number}", origin="flags"
        )
