"""One place of one thing that the server says is altered: every command ends with a sentence.

No internal error, no traceback, no endless wait; and what the log and the projections hold is
right again after a rebuild.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import click
import nats
import pytest

from natster_tui.cli.failures import as_sentence
from natster_tui.cli.main import program
from natster_tui.events.account_keys import encode_account_key
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.altering import AlteringProxy, altering
from tests.real_server import RealServer

ANN, BOB, CAT = (encode_account_key(bytes([number]) * 32) for number in (1, 2, 3))
SHARED = ("catalog_shared", "--origin", ANN, "--target", BOB, "--catalog", "kevbuzz")
LONGEST_S = 10.0
NEXT = ("--projection", "{next}")
BESIDE = ("project", "catalog", "--beside", "--once", *NEXT)
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("status", "--json"),
    ("tail",),
    ("tail", "type:shared", "-n", "2"),
    ("show", "account", ANN),
    ("show", "catalog", "kevbuzz", "--at", "3"),
    ("why", "account", ANN),
    ("event", "2"),
    ("community",),
    ("verify",),
    ("rebuild", "--yes", "--json"),
    ("rebuild", "--dry-run"),
    ("rebuild", "--yes", "--json", "--purge"),
    ("rebuild", "account", "--key", ANN, "--yes", "--json"),
    ("project", "--once"),
    BESIDE,
    ("compare", "catalog", *NEXT),
    ("drop", "catalog", "--yes", *NEXT),
    ("publish", "natster_initialized", "--origin", ANN, "--data", '{"account_name":"Ann"}'),
    ("export", "--open"),
    ("export", "--keys"),
    ("import", "{file}"),
    ("keys", "list"),
    ("keys", "rotate"),
    ("keys", "erase", CAT, "--yes"),
)


class PerThread(io.TextIOBase):
    """Standard output or error of several commands, each in its own thread."""

    def __init__(self) -> None:
        self._local = threading.local()

    def begin(self) -> io.StringIO:
        text = self._local.text = io.StringIO()
        return text

    def write(self, text: str) -> int:
        written: io.StringIO | None = getattr(self._local, "text", None)
        return len(text) if written is None else written.write(text)

    def isatty(self) -> bool:
        return False


@dataclass
class Ended:
    code: int
    sentence: str
    err: str
    seconds: float


@dataclass
class Screens:
    """What all commands print, and the errors of tasks that are not awaited."""

    out: PerThread = field(default_factory=PerThread)
    err: PerThread = field(default_factory=PerThread)
    unheard: list[str] = field(default_factory=list)

    def run(self, arguments: list[str]) -> Ended:
        """One command in this thread, as `main.run` does it."""
        began = time.monotonic()
        out = self.out.begin()
        err = self.err.begin()
        code, sentence = 0, ""
        try:
            code = program.main(arguments, standalone_mode=False) or 0
        except click.ClickException as error:
            code, sentence = error.exit_code, error.format_message()
        except Exception as error:
            failure = as_sentence(error)
            code, sentence = failure.exit_code, failure.sentence
        said = f"{out.getvalue()} {err.getvalue()}"
        return Ended(code, sentence, said, time.monotonic() - began)


@pytest.fixture
def screens(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screens]:
    made = Screens()
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: made.unheard.append(  # type: ignore[method-assign]
        f"{record.getMessage()} {record.exc_info and record.exc_info[1]!r}"
    )
    logging.getLogger("asyncio").addHandler(handler)
    monkeypatch.setattr(
        sys, "unraisablehook", lambda failed: made.unheard.append(repr(failed.exc_value))
    )
    with contextlib.redirect_stdout(made.out), contextlib.redirect_stderr(made.err):
        yield made
    logging.getLogger("asyncio").removeHandler(handler)


class Lane:
    """An account with a small sealed log, and commands on it one after another."""

    def __init__(
        self, settings: ConnectionSettings, directory: Path, screens: Screens, lane: int
    ) -> None:
        self.settings = settings
        self.screens = screens
        self.name = lane
        self.frames: dict[tuple[str, ...], int] = {}
        self.findings: list[str] = []
        self.counts: Counter[str] = Counter()
        self.slowest = 0.0
        self._names = count()
        directory.mkdir()
        self._key_file = directory / "keys.json"
        self._file = directory / "log.jsonl"
        self._next = directory / "next.py"

    async def run(self, url: str, command: tuple[str, ...]) -> Ended:
        places = {"{file}": str(self._file), "{next}": str(self._next)}
        words = [places.get(word, word) for word in command]
        user, password = self.settings.user, revealed(self.settings.password)
        assert user is not None
        assert password is not None
        named = ["--server", url, "--user", user, "--password", password]
        where = [*named, "--key-file", str(self._key_file), "--sealing", "on", "--create-log"]
        return await asyncio.to_thread(self.screens.run, [*where, *words])

    async def prepare(self) -> None:
        """A log of a few events, projected."""
        url = self.settings.servers[0]
        publish = ("publish", "natster_initialized", "--data", '{"account_name":"x"}', "--origin")
        bound = '{"oauth_id":"x","bound_context":{"user_id":"u"}}'
        for command in (
            (*publish, ANN),
            ("publish", "context_bound", "--origin", ANN, "--data", bound),
            (*publish, BOB),
            ("publish", *SHARED),
            ("project", "--once"),
        ):
            ended = await self.run(url, command)
            assert ended.code == 0, ended
        self._file.write_text(
            '{"seq":1,"time":"2026-01-01T00:00:00Z","headers":{},"payload":"{}",'
            '"subject":"natster.events.CC.none.none.natster_initialized"}\n'
        )
        self._next.write_text(
            "from natster_tui.projections.catalog import CatalogProjection\n"
            "class Next(CatalogProjection):\n    version = 99\n"
        )

    async def measure(self, proxy: AlteringProxy) -> dict[tuple[str, ...], int]:
        """How many frames the server sends for each command."""
        frames = {}
        for command in COMMANDS:
            await self.make_ready_for(command)
            proxy.pass_all()
            ended = await self.run(proxy.url, command)
            assert ended.code in (0, 1), (command, ended)
            frames[command] = proxy.passed
        return frames

    async def attack(self, proxy: AlteringProxy, seed: int) -> None:
        """One command with one altered frame."""
        random = Random(f"{self.name}.{seed}")
        command = COMMANDS[seed % len(COMMANDS)]
        await self.make_ready_for(command)
        proxy.alter(random.randrange(self.frames[command]), random.random())
        running = asyncio.create_task(self.run(proxy.url, command))
        done, _ = await asyncio.wait({running}, timeout=3 * LONGEST_S)
        if not done:
            proxy.drop()
        ended = await running
        if not proxy.did:
            return
        self.counts[proxy.did.split(" ", 1)[0]] += 1
        self.counts[f"exit {ended.code}"] += 1
        self.slowest = max(self.slowest, ended.seconds)
        if problem := self._problem(ended, done=bool(done)):
            what = " ".join(command)
            self.findings.append(f"{problem}: {what} [{proxy.did}] {self.name}.{seed} {ended}")

    def _problem(self, ended: Ended, *, done: bool) -> str:
        told = f"{ended.sentence} {ended.err}"
        if "internal error" in told or "Traceback" in told:
            return "internal error"
        if not done or ended.seconds > LONGEST_S:
            return "hang"
        if ended.code not in (0, 1, 2, 3) or "\n" in ended.sentence:
            return "no sentence"
        return ""

    async def make_ready_for(self, command: tuple[str, ...]) -> None:
        """No lease is held, and there is what is to be erased, compared or dropped."""
        await self.free_the_leases()
        if command[0] in ("compare", "drop"):
            ended = await self.run(self.settings.servers[0], BESIDE)
            assert ended.code == 0, ended
        if command[:2] == ("keys", "erase"):
            name = f'{{"account_name":"x{next(self._names)}"}}'
            again = ("publish", "natster_initialized", "--origin", CAT, "--data", name)
            ended = await self.run(self.settings.servers[0], again)
            assert ended.code == 0, ended

    async def free_the_leases(self) -> None:
        """A command that was cut off leaves its lease behind for some seconds."""
        user, password = self.settings.user, revealed(self.settings.password)
        client = await nats.connect(self.settings.servers[0], user=user, password=password)
        await client.request("$JS.API.STREAM.PURGE.KV_NATSTER_LEASE", timeout=10)
        await client.close()

    async def check(self) -> None:
        """Whatever was said, what is stored can be put right and is proved."""
        erase = ("keys", "erase", CAT, "--yes")
        # It ends an erasure, or a rotation, that was interrupted.
        await self.make_ready_for(erase)
        for command in (erase, ("rebuild", "--yes", "--json"), ("verify",), ("keys", "list")):
            ended = await self.run(self.settings.servers[0], command)
            if ended.code != 0:
                self.findings.append(f"not right afterwards: {command} {ended}")


async def attack_all(
    server: RealServer, directory: Path, screens: Screens, *, lanes: int, cases: int
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(lanes))
    measured: asyncio.Future[dict[tuple[str, ...], int]]
    measured = loop.create_future()

    async def one(number: int) -> Lane:
        lane = Lane(server.new_account(), directory / str(number), screens, number)
        await lane.prepare()
        async with altering(lane.settings) as proxy:
            if number == 0:
                measured.set_result(await lane.measure(proxy))
            lane.frames = await measured
            for seed in range(number, cases, lanes):
                await lane.attack(proxy, seed)
        await lane.check()
        return lane

    done = await asyncio.gather(*(one(number) for number in range(lanes)))
    counts = sum((lane.counts for lane in done), Counter[str]())
    findings = [finding for lane in done for finding in lane.findings] + screens.unheard
    altered = sum(count for what, count in counts.items() if what.startswith("exit"))
    slowest = max(lane.slowest for lane in done)
    told = f"{altered} answers altered, slowest {slowest:.1f} s: {dict(counts)}"
    print(told, file=sys.__stdout__)
    assert not findings, f"{len(findings)} findings\n" + "\n".join(findings)
    assert altered >= 0.85 * cases


async def test_an_altered_answer_ends_a_command_with_a_sentence(
    server: RealServer, tmp_path: Path, screens: Screens
) -> None:
    await attack_all(server, tmp_path, screens, lanes=3, cases=len(COMMANDS))


@pytest.mark.full
@pytest.mark.timeout(3_600)
async def test_two_thousand_altered_answers_end_commands_with_a_sentence(
    server: RealServer, tmp_path: Path, screens: Screens
) -> None:
    await attack_all(server, tmp_path, screens, lanes=12, cases=2_400)
