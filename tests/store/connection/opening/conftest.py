"""Certificates and TLS servers, made once for all tests of a module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from natster_tui.store.settings.connection import ConnectionSettings
from tests.certificates import PASS_PHRASE, Authority
from tests.real_server import RealServer

SECRET = "hunter2-is-the-password"
USERS = f"accounts {{ A {{ jetstream: enabled, users: [{{user: ada, password: {SECRET}}}] }} }}\n"


@dataclass
class Lab:
    """An authority, another one, certificates, and servers that are started when first used."""

    directory: Path
    servers: dict[str, RealServer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ca = Authority(self.directory / "ca")
        self.other_ca = Authority(self.directory / "other", "Another authority")
        self.good = self.ca.signed("server", "127.0.0.1", "localhost")
        self.wrong_name = self.ca.signed("wrong", "elsewhere.example")
        self.ended = self.ca.signed("ended", "127.0.0.1", ended_days_ago=3)
        self.client = self.ca.signed("client")
        self.ended_client = self.ca.signed("ended-client", ended_days_ago=2)
        self.foreign_client = self.other_ca.signed("foreign")
        self.locked = self.ca.signed("locked", pass_phrase=PASS_PHRASE)

    def configuration(self, name: str) -> str:
        pair = {"wrong name": self.wrong_name, "ended": self.ended}.get(name, self.good)
        more = {
            "client certificate": "verify: true",
            "handshake first": "handshake_first: true, timeout: 0.5",
        }.get(name, "")
        tls = (
            f'tls {{ cert_file: "{pair.certificate}", key_file: "{pair.key}", '
            f'ca_file: "{self.ca.file}", {more} }}\n'
        )
        match name:
            case "plain":
                return ""
            case "allow_non_tls":
                return f"{tls}allow_non_tls: true\n"
            case "wss":
                return f"websocket {{ host: 127.0.0.1, port: -1, {tls} }}\n"
            case "ws":
                return "websocket { host: 127.0.0.1, port: -1, no_tls: true }\n"
        return tls

    def server(self, name: str) -> RealServer:
        if name not in self.servers:
            started = RealServer(
                self.directory / name.replace(" ", "-"), extra=USERS + self.configuration(name)
            )
            started.start()
            self.servers[name] = started
        return self.servers[name]

    def url(self, name: str) -> str:
        """Its address as nats://, or that of its WebSocket."""
        server = self.server(name)
        if name not in ("ws", "wss"):
            return f"nats://127.0.0.1:{server.port}"
        [file] = (server.directory / "ports").glob("*.ports")
        return str(json.loads(file.read_text())["websocket"][0])

    def settings(self, where: str, **options: Any) -> ConnectionSettings:
        """Settings for a server, by its name or URL, with a secret to be given away."""
        url = where if "://" in where else self.url(where)
        return ConnectionSettings(
            servers=(url,), user="ada", password=SECRET, origin="flags", **options
        )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("tls"))
    yield made
    for server in made.servers.values():
        server.stop()
