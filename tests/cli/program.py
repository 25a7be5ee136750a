"""The program as people run it: a process of its own, in an environment swept clean."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import sys
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.cli.forking import ROOT, Forge

PROMPTLY_S = 5.0
"""How soon a failure must be told, on a machine that has nothing else to do."""

_SECONDS = 40.0
_AT_ONCE = 3
"""Runs side by side: each is mostly a core's work, and must still be prompt on a small machine."""

_OURS = "natster-tui: "

WITH_TESTS = ("PYTHONPATH", str(ROOT))
"""The variable for programs whose module is one of the tests'."""


@functools.cache
def forge(*imports: str) -> Forge:
    """What forks runs of the program, for all tests of this process."""
    return Forge({"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}, *imports)


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def said(self) -> str:
        """What stands on stderr, without what it says of waits on a slow machine."""
        lines = self.err.splitlines(keepends=True)
        return "".join(x for x in lines if not x.startswith(f"{_OURS}waiting for "))

    @property
    def sentence(self) -> str:
        """The one sentence on stderr, without our name before it."""
        assert "Traceback" not in self.err, self.err
        *waits, last = self.err.splitlines()
        # On a slow machine, or with a server that does not answer, a wait is said before.
        assert all(line.startswith(f"{_OURS}waiting for ") for line in waits), self.err
        assert last.startswith(_OURS), self.err
        return last.removeprefix(_OURS)


@dataclass(frozen=True)
class Program:
    """`python -m natster_tui` with a home directory of its own and options for every run."""

    home: Path
    options: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    module: tuple[str, ...] = ("natster_tui",)

    def on(self, settings: ConnectionSettings, *more: str) -> Program:
        """The same on an account of a server."""
        assert settings.user is not None
        password = revealed(settings.password)
        assert password is not None
        named = ("--server", settings.servers[0], "--user", settings.user)
        return self.with_options(*named, "--password", password, *more)

    def with_options(self, *options: str) -> Program:
        return replace(self, options=(*self.options, *options))

    def with_variables(self, variables: Mapping[str, str]) -> Program:
        return replace(self, variables=(*self.variables, *variables.items()))

    @property
    def key_file(self) -> Path:
        """Where its keys are unless it is told otherwise."""
        return self.home / "config" / "natster-tui" / "keys.json"

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the environment that the tests run in, but where programs are."""
        temporary = self.home / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "TMPDIR": str(temporary),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "LANG": "C.UTF-8",
            **dict(self.variables),
        }

    def command_line(self, *arguments: str | bytes) -> list[str | bytes]:
        """What follows `python -m`."""
        return [*self.module, *self.options, *arguments]

    def command(self, *arguments: str | bytes) -> list[str | bytes]:
        return [sys.executable, "-m", *self.command_line(*arguments)]

    def stopping(self, at: int, directory: Path) -> Program:
        """The same, killed before step number `at` (see `tests.interrupting`)."""
        return replace(self, module=("tests.interrupting", str(at), str(directory)))

    async def start(self, *arguments: str | bytes) -> asyncio.subprocess.Process:
        """Start it with pipes, for a run that is to be talked to or ended."""
        return await asyncio.create_subprocess_exec(
            *self.command(*arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
            cwd=self.home,
        )

    @property
    def may_be_forked(self) -> bool:
        """Whether nothing that matters is decided before its imports are done."""
        of_python = any(
            name.startswith(("PYTHON", "LANG", "LC_")) and (name, value) != WITH_TESTS
            for name, value in self.variables
        )
        is_itself = type(self) is Program
        return is_itself and not of_python

    async def run(self, *arguments: str | bytes, given: str = "") -> Ended:
        """Run it to its end, with `given` as its standard input."""
        began = time.monotonic()
        if self.may_be_forked:
            environment = self.environment
            code, written, told = await forge().run(
                self.command_line(*arguments), environment, self.home, given.encode(), _SECONDS
            )
            return Ended(code, written.decode(), told.decode(), time.monotonic() - began)
        process = await self.start(*arguments)
        try:
            out, err = await asyncio.wait_for(process.communicate(given.encode()), _SECONDS)
        except BaseException:
            process.kill()
            await process.wait()
            raise
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode(), time.monotonic() - began)

    async def succeed(self, *arguments: str | bytes, given: str = "") -> Ended:
        """Run it; it must succeed, and say nothing but its answer."""
        ended = await self.run(*arguments, given=given)
        assert (ended.code, ended.said) == (0, ""), ended
        return ended

    async def fail(self, code: int, *arguments: str | bytes, given: str = "") -> str:
        """Run it; it must fail promptly, with this code and the returned sentence alone."""
        ended = await self.run(*arguments, given=given)
        assert (ended.code, ended.out) == (code, ""), ended
        assert ended.seconds < PROMPTLY_S * busy(), ended
        return ended.sentence


def busy() -> float:
    """How many times slower everything goes, because others want the same cores."""
    return max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


async def together(*runs: Coroutine[Any, Any, Any]) -> list[Any]:
    """The results of several runs, a few of them at a time."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(run: Coroutine[Any, Any, Any]) -> Any:
        async with limit:
            return await run

    return await asyncio.gather(*map(one, runs))


@dataclass(frozen=True)
class Altered(Program):
    """The program after some code has changed it."""

    code: str = ""

    def command(self, *arguments: str | bytes) -> list[str | bytes]:
        run = "from natster_tui.cli.main import run\nrun()\n"
        return [sys.executable, "-c", f"{self.code}\n{run}", *self.options, *arguments]


def altered(program: Program, code: str) -> Altered:
    """The same program after some code has changed it."""
    return Altered(program.home, program.options, program.variables, code=code)
