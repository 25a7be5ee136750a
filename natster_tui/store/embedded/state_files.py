"""The small files with which processes find the server of a data directory, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from natster_tui.store.files.models import StoredModel

HOST = "127.0.0.1"
TOKEN = re.compile(r"t[0-9a-f]{64}")
"""The token that clients log in with."""

_LARGEST_PORT = 65_535
_Pid = Annotated[int, Field(ge=1)]
_LoopbackUrl = Annotated[str, Field(pattern=r"^nats://127\.0\.0\.1:[0-9]{1,5}$")]


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A running server; `pid` is its owner's."""

    port: int
    server_id: str
    pid: int
    server_pid: int

    @property
    def url(self) -> str:
        """The URL for clients."""
        return f"nats://{HOST}:{self.port}"


class RunningFile(StoredModel):
    """`server.json`: the process that runs the server, and its address."""

    url: _LoopbackUrl
    server_id: str
    pid: _Pid
    server_pid: _Pid
    token_file: str = ""

    @property
    def running(self) -> RunningServer:
        """The server it names."""
        return RunningServer(port_of(self.url), self.server_id, self.pid, self.server_pid)


class PortsFile(StoredModel):
    """`nats-server_<pid>.ports`, written by the server: where it listens for clients."""

    nats: Annotated[list[_LoopbackUrl], Field(min_length=1)]

    @property
    def port(self) -> int:
        """The clients' port."""
        return port_of(self.nats[0])


def port_of(url: str) -> int:
    """The port at the end of one of our URLs."""
    return int(url.rpartition(":")[2])


def read_port(content: bytes) -> int | None:
    """The port in a `server.port` file; None if there is none."""
    text = content.strip()
    if not text.isdigit() or not 1 <= len(text) <= len(str(_LARGEST_PORT)):
        return None
    port = int(text)
    return port if 1 <= port <= _LARGEST_PORT else None
