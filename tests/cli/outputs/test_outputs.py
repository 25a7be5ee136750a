"""Every command that prints JSON prints what its schema says, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from natster_tui import docs
from natster_tui.cli.outputs.names import BY_NAME
from natster_tui.cli.outputs.output import output_line
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Ended, Program, together
from tests.cli.raw_jetstream import publish
from tests.conftest import RECORDINGS

STANDARD = str(RECORDINGS / "01_standard.events.jsonl")


def check(name: str, ended: Ended) -> None:
    """What was printed is the model's value, no field more and none that may be left out."""
    model = BY_NAME[name].load()
    assert ended.lines, ended
    for line in ended.lines:
        assert output_line(model.model_validate_json(line)) == line


ACTIVITY = next(
    code
    for code in re.findall(r"```python\n(.*?)```", docs.topic("writing").text, re.S)
    if "class ActivityProjection" in code
)
A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"


async def test_unknown_outputs_are_refused_with_the_list(anywhere: Program) -> None:
    sentence = await anywhere.fail(2, "schema", "nope")
    assert all(name in sentence for name in BY_NAME)


async def test_what_is_said_of_the_program_follows_its_schema(anywhere: Program) -> None:
    config, schemas = await together(
        anywhere.succeed("config", "--json"), anywhere.succeed("schema", "--json")
    )
    check("config", config)
    check("schema", schemas)


async def test_what_is_read_of_a_log_follows_its_schema(
    natster: Program, settings: ConnectionSettings
) -> None:
    await natster.succeed("import", "--create-log", STANDARD)
    await publish(settings, "natster.events.none.none.none.odd", b"\xff")
    commands = {
        "status": ("status",),
        "tail": ("tail",),
        "list-accounts": ("list", "accounts"),
        "list-catalogs": ("list", "catalogs"),
        "show": ("show", "account", A),
        "diff": ("diff", "account", A, "--from", "1"),
        "why": ("why", "account", A),
        "community": ("community",),
    }
    events = [natster.succeed("event", str(seq), "--json") for seq in (4, 11)]
    events.append(natster.succeed("event", "4", "--json", "--reveal"))
    printed = await together(
        *(natster.succeed(*words, "--json") for words in commands.values()),
        natster.run("check-name", "KevBuzz", "--json"),
        natster.succeed("export"),
        natster.succeed("export", "--keys"),
        *events,
    )
    names = (*commands, "check-name", "export", "export", "event", "event", "event")
    for name, ended in zip(names, printed, strict=True):
        check(name, ended)
    assert '"payload_base64"' in printed[names.index("export")].lines[-1]


async def test_what_writing_prints_follows_its_schema(natster: Program, tmp_path: Path) -> None:
    check("import", await natster.succeed("import", "--create-log", "--json", STANDARD))
    published = ("initialized", "--origin", A, "--data", '{"account_name":"Ann"}')
    check("publish", await natster.succeed("publish", *published, "--json"))
    check("rebuild-dry-run", await natster.succeed("rebuild", "--dry-run", "--json"))
    check("rebuild", await natster.succeed("rebuild", "--yes", "--json"))
    check("project", await natster.succeed("project", "--once", "--json"))
    check("keys-rotate", await natster.succeed("keys", "rotate", "--json"))
    check("keys-erase", await natster.succeed("keys", "erase", A, "--yes", "--json"))
    check("keys-list", await natster.succeed("keys", "list", "--json"))


async def test_what_verifying_and_trying_prints_follows_its_schema(
    natster: Program, deployed_before: list[ConnectionSettings], tmp_path: Path
) -> None:
    beside_another = natster.on(deployed_before[0])
    file = tmp_path / "activity.py"
    file.write_text(ACTIVITY)
    verify, status, plan, tried, folded = await together(
        beside_another.run("verify", "--json"),
        beside_another.succeed("status", "--json"),
        beside_another.succeed("rebuild", "--dry-run", "--json"),
        beside_another.run("try", str(file), "--json"),
        natster.succeed("fold", STANDARD),
    )
    check("verify", verify)
    check("status", status)
    check("rebuild-dry-run", plan)
    check("try", tried)
    check("fold", folded)
