"""The settings file as the program takes it: on the command line and in a real terminal."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import Program, together
from tests.cli.terminal import Terminal

MOUSE = b"\x1b[?1000h"
HISTORY = ("demo", "--seed", "7", "--history", "20", "--rate", "0")


def settings_file(program: Program, text: str) -> Path:
    program.home.mkdir(parents=True, exist_ok=True)
    file = program.home / "named.toml"
    file.write_text(text)
    return file


async def test_a_mistake_ends_every_command_that_reads_the_file(anywhere: Program) -> None:
    file = anywhere.home / "config" / "natster-tui" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text("\nmoose = true\n")
    named = settings_file(anywhere, 'theme = "mars"')
    told, by_name = await together(
        anywhere.fail(2, "config"), anywhere.fail(2, "config", "--settings", str(named))
    )
    assert f"{file}, line 2: there is no setting moose, did you mean mouse?" in told
    assert "line 1: there is no theme mars" in by_name


async def test_config_prints_each_setting_with_its_line(anywhere: Program) -> None:
    file = settings_file(anywhere, 'theme = "nord"\nhubs = ["Hub"]\nkeymap.app.help = "f9"\n')
    variables = {"NATSTER_SETTINGS": str(file)}
    by_file, by_flag = await together(
        anywhere.with_variables(variables).succeed("config", "--json"),
        anywhere.with_variables(variables).succeed("config", "--hub", "Other", "--json"),
    )
    rows = {each["name"]: each for each in by_file.json["settings"]}
    assert rows["settings"]["source"] == "NATSTER_SETTINGS"
    assert (rows["theme"]["value"], rows["mouse"]["value"]) == ("nord", "true")
    assert rows["theme"]["source"] == f"{file}, line 1"
    assert rows["mouse"]["source"] == "default"
    assert rows["hubs"]["source"] == f"{file}, line 2"
    assert rows["keymap.app.help"]["value"] == "f9"
    names = [each["name"] for each in by_flag.json["settings"]]
    assert "hubs" not in names
    assert "hub" in names


async def test_mouse_and_time_zone_are_those_of_the_settings(anywhere: Program) -> None:
    text = 'mouse = false\ntime = "utc"\ncontexts.demo.production = true'
    file = settings_file(anywhere, text)
    abroad = anywhere.with_variables({"TZ": "Asia/Tokyo"})
    async with Terminal(abroad, *HISTORY, "--settings", str(file)) as terminal:
        await terminal.wait_for("Timeline (20)", "PRODUCTION", " UTC")
        assert MOUSE not in terminal.printed
        terminal.press("q")
        assert await terminal.wait_for_end() == 0
    async with Terminal(abroad, *HISTORY) as terminal:
        await terminal.wait_for("Timeline (20)", " JST")
        assert MOUSE in terminal.printed
        terminal.press("q")
        assert await terminal.wait_for_end() == 0
