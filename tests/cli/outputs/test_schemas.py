"""The schemas of what commands print: stored, listed, and printed."""

from __future__ import annotations

import json

from click.testing import CliRunner

from natster_tui.cli.main import program
from natster_tui.cli.outputs.names import BY_NAME
from tests.cli.outputs.schemas import current, stored


def test_the_stored_schemas_are_those_of_the_models() -> None:
    """If the change is meant, `python -m tests.cli.outputs` rewrites them."""
    assert stored() == current()


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
