"""A JetStream beside the client's own: in another domain, or in an account whose API is imported.

In each place there is a log and there are buckets of the same names, and what belongs in one must
never land in the other.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nats.errors

from natster_tui.events.natster import NATSTER
from natster_tui.store.log import Append
from natster_tui.store.settings.connection import ConnectionSettings
from tests.faults.checker import ask, plain_client
from tests.real_server import RealServer

EVENTS, ENTRIES = "natster.events.>", "$KV.>"
PREFIX = "JS.own.API"


@dataclass(frozen=True)
class Elsewhere:
    """Three ways to a JetStream: `inside` it, `through` a domain or prefix, and the `own` one."""

    inside: ConnectionSettings
    through: ConnectionSettings
    own: ConnectionSettings

    @property
    def options(self) -> list[str]:
        """The options with which the program goes the same way as `through`."""
        if domain := self.through.js_domain:
            return ["--js-domain", domain]
        return ["--js-api-prefix", self.through.js_api_prefix or ""]


def user(server: RealServer, name: str) -> ConnectionSettings:
    return ConnectionSettings(servers=(server.url,), user=name, password="pw", origin="flags")


class HubAndLeaf:
    """A hub and a leaf node, each with a JetStream domain; accounts of both names on both.

    The hub maps events below its domain in the accounts `mapped…`, and not in those `bare…`.
    """

    def __init__(self, directory: Path, accounts: int = 6) -> None:
        self.directory = directory
        self._names = [f"{kind}{i}" for kind in ("mapped", "bare") for i in range(accounts)]
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        below = json.dumps({f"$JS.hub.API.{EVENTS}": EVENTS})
        self.hub = RealServer(
            directory / "hub",
            f"server_name: hub\nleafnodes {{ host: 127.0.0.1, port: {port} }}\n"
            + self._accounts(f"mappings: {below},"),
            domain="hub",
        )
        remotes = ", ".join(
            f'{{ url: "nats://{name}:pw@127.0.0.1:{port}", account: {name} }}'
            for name in [*self._names, "SYS"]
        )
        self.leaf = RealServer(
            directory / "leaf",
            f"server_name: leaf\nleafnodes {{ reconnect: 50ms, remotes: [{remotes}] }}\n"
            + self._accounts(""),
            domain="leaf",
        )

    def _accounts(self, mappings: str) -> str:
        told = "\n".join(
            f"{name} {{ jetstream: enabled, {mappings if name.startswith('mapped') else ''} "
            f"users: [{{user: {name}, password: pw}}] }}"
            for name in self._names
        )
        system = "SYS { users: [{user: SYS, password: pw}] }"
        return f"accounts {{ {told}\n{system} }}\nsystem_account: SYS\n"

    def take(self, *, mapped: bool) -> Elsewhere:
        """An account that no test has used."""
        kind = "mapped" if mapped else "bare"
        name = next(each for each in self._names if each.startswith(kind))
        self._names.remove(name)
        own = user(self.leaf, name)
        return Elsewhere(user(self.hub, name), replace(own, js_domain="hub"), own)

    def start(self) -> None:
        self.hub.start()
        self.leaf.start()

    def stop(self) -> None:
        self.leaf.stop()
        self.hub.stop()


class ImportingAccounts:
    """Accounts `ops…` that import the API of accounts `own…` under a prefix.

    `full…` import events and entries below it as well, `bare…` do not, `crossed` imports them from
    the wrong account, `third`, and `partial` of the entries only the leases.
    """

    def __init__(self, directory: Path, accounts: int = 6) -> None:
        self._names = [f"{kind}{i}" for kind in ("full", "bare") for i in range(accounts)]
        self._names += ["crossed", "partial"]
        self.server = RealServer(directory, self._accounts())

    def _accounts(self, partial: str = "$KV.NATSTER_LEASE.>") -> str:
        told = self._account("third", exports=True)
        for name in self._names:
            source = {"bare": "", "crossed": "third"}.get(name.rstrip("0123456789"), f"own{name}")
            imports = {"$JS.API.>": f"own{name}"}
            entries = partial if name == "partial" else ENTRIES
            if source:
                imports |= {EVENTS: source, entries: source}
            told += self._account(f"own{name}", exports=True)
            told += self._account(f"ops{name}", imports)
        return f"accounts {{ {told} }}"

    def _account(
        self, name: str, imports: Mapping[str, str] | None = None, *, exports: bool = False
    ) -> str:
        exported = ", ".join(
            f'{{ service: "{each}", response_type: stream }}'
            for each in (("$JS.API.>", EVENTS, ENTRIES) if exports else ())
        )
        imported = ", ".join(
            f'{{ service: {{ account: {source}, subject: "{each}" }}, '
            f'to: "{PREFIX}.{each.removeprefix("$JS.API.")}" }}'
            for each, source in (imports or {}).items()
        )
        return (
            f"{name} {{ jetstream: enabled, exports: [{exported}], imports: [{imported}], "
            f"users: [{{user: {name}, password: pw}}] }}\n"
        )

    def take(self, *, imported: bool) -> Elsewhere:
        """Two accounts that no test has used."""
        kind = "full" if imported else "bare"
        name = next(each for each in self._names if each.startswith(kind))
        self._names.remove(name)
        own = user(self.server, f"ops{name}")
        return Elsewhere(user(self.server, f"own{name}"), replace(own, js_api_prefix=PREFIX), own)

    def complete_partial(self) -> None:
        """Have the account `partial` import all entries, too."""
        self.server.reload(self._accounts(partial=ENTRIES))

    def partial(self) -> Elsewhere:
        """Where leases have a way, and documents have none."""
        own = user(self.server, "opspartial")
        through = replace(own, js_api_prefix=PREFIX)
        return Elsewhere(user(self.server, "ownpartial"), through, own)

    def crossed(self) -> Elsewhere:
        """Where the imported API is one account's, and events and entries go to another, `own`."""
        through = replace(user(self.server, "opscrossed"), js_api_prefix=PREFIX)
        return Elsewhere(user(self.server, "owncrossed"), through, user(self.server, "third"))

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        self.server.stop()


@contextmanager
def started(place: HubAndLeaf | ImportingAccounts) -> Iterator[Any]:
    place.start()
    try:
        yield place
    finally:
        place.stop()


async def when_connected(place: Elsewhere) -> None:
    """Wait until the JetStream elsewhere answers."""
    until = time.monotonic() + 15
    domain, prefix = place.through.js_domain, place.through.js_api_prefix
    subject = f"$JS.{domain}.API.INFO" if domain else f"{prefix}.INFO"
    async with plain_client(place.through) as client:
        while True:
            try:
                await client.request(subject, b"", timeout=1)
            except nats.errors.Error:
                assert time.monotonic() < until
            else:
                return


async def everything_in(settings: ConnectionSettings) -> dict[str, Any]:
    """All streams of an account: their settings, their state, and each message, byte by byte."""
    found: dict[str, Any] = {}
    async with plain_client(settings) as client:
        for name in (await ask(client, "STREAM.NAMES")).get("streams") or ():
            info = await ask(client, f"STREAM.INFO.{name}")
            state = {**info["state"], "consumer_count": 0}
            messages = [
                await ask(client, f"STREAM.MSG.GET.{name}", {"seq": seq})
                for seq in range(state["first_seq"], state["last_seq"] + 1)
            ]
            found[name] = (info["config"], info["created"], state, messages)
    return found


async def publish_there_only(settings: ConnectionSettings, events: Sequence[Append]) -> None:
    """Append events to an empty log, with a plain client.

    Over a leaf node they would land in the other log as well, but that one is not empty.
    """
    async with plain_client(settings) as client:
        for number, event in enumerate(events):
            headers = {"Nats-Expected-Last-Sequence": str(number)}
            await client.publish(event.subject, event.payload, headers=headers)
        await client.flush()
        until = time.monotonic() + 10
        while (await ask(client, f"STREAM.INFO.{NATSTER.stream}"))["state"]["last_seq"] < len(
            events
        ):
            assert time.monotonic() < until
