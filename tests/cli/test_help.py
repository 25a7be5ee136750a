from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from natster_tui.cli.main import program
from natster_tui.cli.shared_options import SharedOption
from natster_tui.store.settings.options import ConnectionFlags

HEAVY = ("pydantic", "nats", "textual", "cryptography", "asyncio", "logging", "json", "pathlib")


@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_help_and_version_load_nothing_that_they_do_not_need(asked: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "natster_tui", asked],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in ended.stderr.splitlines()}
    assert "click" in loaded
    assert not loaded.intersection(HEAVY)


def test_every_command_of_the_table_is_there_under_its_name() -> None:
    context = click.Context(program)
    names = program.list_commands(context)
    assert "status" in names
    for name in names:
        command = program.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert program.get_command(context, "nope") is None


def test_the_help_lists_commands_in_sections_whose_lines_fit() -> None:
    printed = CliRunner().invoke(program, ["--help"]).output
    sections = ["Look:", "Project and rebuild:", "Write:", "Keys:", "Program:"]
    lines = printed.splitlines()
    assert [line for line in lines if line in sections] == sections
    commands = lines[lines.index("Look:") :]
    listed = [line.split()[0] for line in commands if line.startswith("  ")]
    assert sorted(listed) == sorted(program.list_commands(click.Context(program)))
    assert not any(line.endswith("...") for line in commands)


def test_keys_without_a_command_prints_its_help() -> None:
    ended = CliRunner().invoke(program, ["keys"])
    assert ended.exit_code == 0
    assert ended.output.startswith("Usage: ")
    assert "..." not in ended.output.split("Commands:")[1]


def test_help_leaves_the_shared_options_to_help_all() -> None:
    own = CliRunner().invoke(program, ["tail", "--help"]).output
    whole = CliRunner().invoke(program, ["tail", "--help-all"]).output
    assert "--follow" in own
    assert "--help-all" in own
    assert "  --tls-ca" not in own
    assert whole.startswith(own)
    shared = whole.removeprefix(own)
    assert [line for line in shared.splitlines() if line and not line.startswith(" ")] == [
        "Connection options:",
        "Log options:",
    ]
    command = program.get_command(click.Context(program), "tail")
    assert command is not None
    options = [each for each in command.params if isinstance(each, SharedOption)]
    assert len(options) > len(ConnectionFlags.model_fields)
    for option in options:
        assert f"  {option.opts[0]}" in shared


def test_every_setting_of_a_connection_has_its_flag() -> None:
    flags = {option for parameter in program.params for option in parameter.opts}
    assert {f"--{name.replace('_', '-')}" for name in ConnectionFlags.model_fields} <= flags
