"""The schemas of what commands print: stored, listed, and printed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
from click.testing import CliRunner

from natster_tui.cli.main import program
from natster_tui.cli.outputs.names import BY_NAME, OUTPUTS
from tests.cli.outputs.schemas import current, stored


def test_the_stored_schemas_are_those_of_the_models() -> None:
    """If the change is meant, `python -m tests.cli.outputs` rewrites them."""
    assert stored() == current()


def test_every_command_with_json_names_its_output() -> None:
    named = {each.command.partition(" --")[0] for each in OUTPUTS}
    named |= {" ".join(words.split()[:1]) for words in named}
    assert {path for path, command in _commands(program) if _takes_json(command)} <= named


def test_every_output_and_field_is_described() -> None:
    for name, text in current().items():
        schema = json.loads(text)
        for part in (schema, *schema.get("$defs", {}).values()):
            assert "enum" in part or part.get("description"), name


def test_schema_lists_the_outputs_and_prints_one() -> None:
    listed = CliRunner().invoke(program, ["schema"])
    assert [line.split()[0] for line in listed.output.splitlines()] == list(BY_NAME)
    printed = CliRunner().invoke(program, ["schema", "publish"])
    assert printed.output == stored()["publish.json"]
    on_a_line = CliRunner().invoke(program, ["schema", "publish", "--json"])
    assert len(on_a_line.output.splitlines()) == 1
    assert json.loads(on_a_line.output) == json.loads(printed.output)


def _commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def _takes_json(command: click.Command) -> bool:
    return any("--json" in parameter.opts for parameter in command.params)
