"""A projection in a package, as its topic tells: installed in an environment, and used."""

from __future__ import annotations

import asyncio
import re
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from natster_tui import docs
from natster_tui.store.connection.link import Link
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.cli.terminal import Terminal
from tests.engine.running import fresh_log
from tests.making_logs import append, imported, initialized, shared

PAGE = docs.topic("writing").text
EVENTS = [initialized("AA", "Ann"), shared("AA", "BB"), imported("BB", "AA"), shared("AA", "CC")]


@dataclass(frozen=True)
class Installed(Program):
    """The program as the Python of another environment runs it."""

    python: Path = Path(sys.executable)

    def command(self, *arguments: str | bytes) -> list[str | bytes]:
        return [str(self.python), *super().command(*arguments)[1:]]


def code_of(language: str, holding: str) -> str:
    """The example on the page that holds a text."""
    examples = re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)
    return next(str(code) for code in examples if holding in code)


def write_package(directory: Path) -> None:
    """The package with the page's own files, under the names that the page gives them."""
    module = directory / "my_package"
    module.mkdir(parents=True)
    (module / "__init__.py").touch()
    (module / "activity.py").write_text(code_of("python", "class ActivityProjection"))
    (directory / "pyproject.toml").write_text(code_of("toml", "[build-system]"))


async def fresh_environment(directory: Path) -> Path:
    """The Python of a new environment that has this program in it, and nothing else of ours."""
    await asyncio.to_thread(venv.create, directory, symlinks=True)
    python = directory / "bin" / "python"
    (packages,) = (directory / "lib").glob("python*/site-packages")
    # This program and what it needs, as they are installed here.
    (packages / "here.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_paths()['purelib']!r})\n"
    )
    return python


async def install(python: Path, package: Path) -> None:
    """Install a package as the page says, with no index: what it needs is there."""
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    pip = ("-m", "pip", "--python", str(python), "install", "-q", *offline, str(package))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *pip, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="a virtual environment looks different there")
async def test_a_package_brings_a_projection_to_every_command_and_the_dashboard(
    link: Link, settings: ConnectionSettings, tmp_path: Path
) -> None:
    python = await fresh_environment(tmp_path / "environment")
    write_package(tmp_path / "my-package")
    await install(python, tmp_path / "my-package")
    await append(await fresh_log(link), EVENTS)
    home = tmp_path / "home"
    home.mkdir()
    program = Installed(home, python=python).on(settings)

    projected = await program.run("project", "--once")
    assert projected.lines[-1] == "activity: at 4, 2 keys, parked 0", projected.err
    shown = await program.succeed("show", "activity", "AA", "--json")
    assert shown.json["document"]["events"] == 3
    assert "activity" in (await program.succeed("verify")).out
    async with Terminal(program) as terminal:
        await terminal.wait_for("Projectors", "Activity", "activity", "in sync")
        terminal.press("6")
        await terminal.wait_for("5 Account Ann", "events      3")
