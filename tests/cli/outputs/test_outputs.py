"""Every command that prints JSON prints what its schema says, and nothing else."""

from __future__ import annotations

from natster_tui.cli.outputs.names import BY_NAME
from natster_tui.cli.outputs.output import output_line
from tests.cli.program import Ended, Program, together
from tests.conftest import RECORDINGS

STANDARD = str(RECORDINGS / "01_standard.events.jsonl")


def check(name: str, ended: Ended) -> None:
    """What was printed is the model's value, no field more and none that may be left out."""
    model = BY_NAME[name].load()
    assert ended.lines, ended
    for line in ended.lines:
        assert output_line(model.model_validate_json(line)) == line


async def test_unknown_outputs_are_refused_with_the_list(anywhere: Program) -> None:
    sentence = await anywhere.fail(2, "schema", "nope")
    assert all(name in sentence for name in BY_NAME)


async def test_what_is_said_of_the_program_follows_its_schema(anywhere: Program) -> None:
    config, schemas = await together(
        anywhere.succeed("config", "--json"), anywhere.succeed("schema", "--json")
    )
    check("config", config)
    check("schema", schemas)


async def test_what_writing_prints_follows_its_schema(natster: Program) -> None:
    check("import", await natster.succeed("import", "--create-log", "--json", STANDARD))
    account = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
    published = ("initialized", "--origin", account, "--data", '{"account_name":"Ann"}')
    check("publish", await natster.succeed("publish", *published, "--json"))
