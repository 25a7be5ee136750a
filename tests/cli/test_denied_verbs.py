"""Each permission that a command uses, denied one at a time: it ends with the server's reason.

The server answers nothing to a publish that it denies, and tells of it in passing. So whatever
waits for an answer, a delivery or a stored message must hear of that.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nats
import pytest

from natster_tui.cli.main import program
from natster_tui.errors import NatsterError
from natster_tui.events.account_keys import encode_account_key
from natster_tui.projections.registering.registry import PROJECTIONS
from tests.cli.program import PROMPTLY_S, busy
from tests.engine.permissions import PERMISSIONS
from tests.engine.test_least_privilege import subjects_sent, unused
from tests.real_server import RealServer

MADE = ("KV_PROJ_ACCOUNT", "KV_PROJ_CATALOG", "KV_NATSTER_LEASE")


def account(number: int) -> str:
    return encode_account_key(bytes([number]) * 32)


ONE_DOCUMENT = f"$KV.PROJ_ACCOUNT.{account(1)}"
"""One message of a batch is denied, and its end is not."""
VERBS = (*PERMISSIONS["keyholder"]["publish"], "natster.events.>", ONE_DOCUMENT)


def line(number: int) -> str:
    subject = f"natster.events.{account(number)}.none.none.natster_initialized"
    payload = json.dumps({"account_name": "imported"})
    moment = "2026-01-01T00:00:00Z"
    return json.dumps(
        {"seq": 1, "time": moment, "subject": subject, "headers": {}, "payload": payload}
    )


@dataclass(frozen=True)
class Command:
    """A command; `arguments` are made for each run, `number` is another one each time."""

    arguments: Callable[[Path, int], list[str]]
    fresh: bool = False
    """Whether the projections and the lease are missing before each run."""
    goes_on_without: frozenset[str] = field(default=frozenset())
    """Verbs that it uses, and does its work without."""
    only: frozenset[str] = field(default=frozenset(VERBS))
    """The verbs that are denied here; the others are denied to another command."""


_AFTER = frozenset(
    f"$JS.API.CONSUMER.DELETE.{stream}.*"
    for stream in ("NATSTER_EVENTS", "KV_PROJ_ACCOUNT", "KV_PROJ_CATALOG", "KV_NATSTER_KEYS")
)
"""What is left behind without it is removed by the server, a while later."""
_ON_CHANCE = frozenset(f"$JS.API.CONSUMER.CREATE.KV_{each.bucket}.>" for each in PROJECTIONS)
"""Asked together with whether there is such a bucket, which saves a round trip."""
_LEASE = frozenset(
    {"$JS.API.STREAM.MSG.DELETE.KV_NATSTER_LEASE", "$JS.API.STREAM.INFO.KV_NATSTER_LEASE"}
)
"""Without these a lease runs out by itself, and the settings of its bucket are not checked."""


def initialized(_directory: Path, number: int) -> list[str]:
    named = ["--origin", account(number), "--data", '{"account_name":"x"}']
    return ["publish", "natster_initialized", *named]


def imported(directory: Path, number: int) -> list[str]:
    (directory / "one.jsonl").write_text(line(number) + "\n")
    return ["import", str(directory / "one.jsonl")]


COMMANDS = {
    "project": Command(lambda _d, _n: ["project", "--once"], True, _AFTER | _ON_CHANCE | _LEASE),
    "rebuild": Command(
        lambda _d, _n: ["rebuild", "--yes", "--json"],
        True,
        _AFTER | _LEASE | {"$JS.API.CONSUMER.LIST.NATSTER_EVENTS", "$JS.API.INFO"},
    ),
    "purge": Command(
        lambda _d, _n: ["rebuild", "--yes", "--json", "--purge"],
        only=frozenset(f"$JS.API.STREAM.PURGE.KV_{each.bucket}" for each in PROJECTIONS),
    ),
    "verify": Command(lambda _d, _n: ["verify"], goes_on_without=_AFTER),
    "publish": Command(initialized, goes_on_without=_AFTER),
    "import": Command(imported, goes_on_without=_AFTER),
    "rotate": Command(lambda _d, _n: ["keys", "rotate"], goes_on_without=_AFTER),
    "erase": Command(
        lambda _d, n: ["keys", "erase", account(n), "--yes"],
        goes_on_without=_AFTER,
        only=frozenset(
            verb
            for verb in VERBS
            if "KV_NATSTER_KEYS" in verb or verb in ("$KV.NATSTER_KEYS.>", "$KV.PROJ_CATALOG.>")
        ),
    ),
}


def configuration() -> str:
    accounts = ""
    for name in COMMANDS:
        users = f"{{ user: {name}_admin, password: x }}\n"
        for number, verb in enumerate(VERBS):
            denied = f"permissions: {{ publish: {{ deny: [{json.dumps(verb)}] }} }}"
            users += f"{{ user: {name}_{number}, password: x, {denied} }}\n"
        accounts += f"{name} {{ jetstream: enabled, users: [ {users} ] }}\n"
    return f"accounts {{ {accounts} }}"


@pytest.fixture(scope="module")
def many_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    server = RealServer(tmp_path_factory.mktemp("denied"), configuration())
    server.start()
    yield server
    server.stop()


@dataclass
class Runs:
    """Runs of one command in this process, by several users of one account."""

    url: str
    name: str
    directory: Path
    numbers: int = 10

    async def run(self, user: str, arguments: list[str]) -> tuple[int, str, float]:
        """The exit code, the sentence, and the seconds."""
        began = time.monotonic()
        code, sentence = await asyncio.to_thread(self._run, user, arguments)
        return code, sentence, time.monotonic() - began

    def _run(self, user: str, arguments: list[str]) -> tuple[int, str]:
        given = ["--server", self.url, "--user", f"{self.name}_{user}", "--password", "x"]
        keys = ["--key-file", str(self.directory / "keys.json"), "--create-log"]
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                return program.main([*given, *keys, *arguments], standalone_mode=False) or 0, ""
            except NatsterError as error:
                return error.exit_code, error.sentence

    async def prepare(self) -> None:
        """Put everything back: no lease is left, and there is an account to erase."""
        self.numbers += 1
        if self.name == "erase":
            assert (await self.run("admin", initialized(self.directory, self.numbers)))[0] == 0
        client = await nats.connect(self.url, user=f"{self.name}_admin", password="x")
        for stream in MADE if COMMANDS[self.name].fresh else ():
            await client.request(f"$JS.API.STREAM.DELETE.{stream}")
        await client.request("$JS.API.STREAM.PURGE.KV_NATSTER_LEASE")
        await client.close()

    async def command(self, user: str) -> tuple[int, str, float]:
        """Run the command once."""
        arguments = COMMANDS[self.name].arguments(self.directory, self.numbers)
        return await self.run(user, arguments)

    async def used(self) -> list[int]:
        """Which of the verbs the command uses, with all permissions."""
        admin = await nats.connect(self.url, user=f"{self.name}_admin", password="x")
        async with subjects_sent(admin, "$JS.API.>", "$KV.>", "natster.events.>") as subjects:
            code, sentence, _ = await self.command("admin")
            assert code == 0, sentence
            await admin.flush()
        await admin.close()
        wanted = COMMANDS[self.name].only - unused(set(VERBS), subjects)
        return [number for number, verb in enumerate(VERBS) if verb in wanted]


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_denied_verb_ends_a_command_with_the_servers_reason(
    many_users: RealServer, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    runs = Runs(many_users.url, name, tmp_path)
    for number in (1, 2):
        assert (await runs.run("admin", initialized(tmp_path, number)))[0] == 0
    assert (await runs.run("admin", ["project", "--once"]))[0] == 0
    went_on = set()
    await runs.prepare()
    for number in await runs.used():
        await runs.prepare()
        code, sentence, seconds = await runs.command(str(number))
        what = f"{name} without {VERBS[number]}: {code} {sentence}"
        assert seconds < PROMPTLY_S * busy(), what
        if code == 0:
            went_on.add(VERBS[number])
            continue
        assert code == 3, what
        assert f"does not permit {name}_{number} to publish to" in sentence, what
        assert "use other credentials, or ask for that permission" in sentence, what
    assert went_on <= COMMANDS[name].goes_on_without
