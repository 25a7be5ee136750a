"""Every command that prints JSON prints what its schema says, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from natster_tui import docs
from natster_tui.cli.outputs.names import BY_NAME
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.outputs.status import LeaseHolder
from natster_tui.cli.outputs.versions import SideProjector
from natster_tui.store.lease import Holder
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Ended, Program, together
from tests.cli.raw_jetstream import publish
from tests.conftest import RECORDINGS

STANDARD = str(RECORDINGS / "01_standard.events.jsonl")
A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
B = "AA33U5HNMJFHIX63KYLTK3J3MMPWQHBUMYDYQQGDS5O3WNCL5GDFQ462"
ACTIVITY = next(
    code
    for code in re.findall(r"```python\n(.*?)```", docs.topic("writing").text, re.S)
    if "class ActivityProjection" in code
)

Runs = list[tuple[str, tuple[str, ...]]]
"""The name of an output, and the words of a command that prints it."""

WITHOUT_A_SERVER: Runs = [
    ("config", ("config", "--json")),
    ("schema", ("schema", "--json")),
    ("fold", ("fold", STANDARD)),
]
READING: Runs = [
    ("status", ("status", "--json")),
    ("tail", ("tail", "--json")),
    ("list-accounts", ("list", "accounts", "--json")),
    ("list-catalogs", ("list", "catalogs", "--json")),
    ("show", ("show", "account", A, "--json")),
    ("diff", ("diff", "account", A, "--from", "1", "--json")),
    ("why", ("why", "account", A, "--json")),
    ("event", ("event", "4", "--json")),
    ("event", ("event", "4", "--json", "--reveal")),
    ("event", ("event", "11", "--json")),
    ("community", ("community", "--json")),
    ("check-name", ("check-name", "KevBuzz", "--json")),
    ("export", ("export",)),
    ("export", ("export", "--keys")),
]
WRITING: Runs = [
    ("import", ("import", "--create-log", "--json", STANDARD)),
    ("publish", ("publish", "shared", "--origin", A, "--target", B, "--catalog", "x", "--json")),
    ("rebuild-dry-run", ("rebuild", "--dry-run", "--json")),
    ("rebuild", ("rebuild", "--yes", "--json")),
    ("project", ("project", "--once", "--json")),
    ("keys-rotate", ("keys", "rotate", "--json")),
    ("keys-erase", ("keys", "erase", A, "--yes", "--json")),
    ("keys-list", ("keys", "list", "--json")),
]
BESIDE_ANOTHER_PROGRAM: Runs = [
    ("status", ("status", "--json")),
    ("verify", ("verify", "--json")),
    ("rebuild-dry-run", ("rebuild", "--dry-run", "--json")),
]


def check(name: str, ended: Ended) -> None:
    """What was printed is the model's value, no field more and none that may be left out."""
    model = BY_NAME[name].load()
    assert ended.code in (0, 1), ended
    assert ended.lines, ended
    for line in ended.lines:
        assert output_line(model.model_validate_json(line)) == line


async def check_all(program: Program, runs: Runs) -> None:
    printed = await together(*(program.run(*words) for _, words in runs))
    for (name, _), ended in zip(runs, printed, strict=True):
        check(name, ended)


def test_each_output_is_printed_by_a_test() -> None:
    runs = WITHOUT_A_SERVER + READING + WRITING + BESIDE_ANOTHER_PROGRAM
    assert {name for name, _ in runs} | {
        "try",
        "compare",
        "promote",
        "list-documents",
    } == BY_NAME.keys()


def test_the_host_of_a_lease_is_masked() -> None:
    holder = Holder(host="nats://ada:hush@host", pid=1, instance="x", since=1)
    for shown in (LeaseHolder.of(holder), SideProjector.of(holder)):
        assert shown is not None
        assert "hush" not in output_line(shown)


async def test_unknown_outputs_are_refused_with_the_list(anywhere: Program) -> None:
    sentence = await anywhere.fail(2, "schema", "nope")
    assert all(name in sentence for name in BY_NAME)


async def test_what_needs_no_server_follows_its_schema(anywhere: Program) -> None:
    await check_all(anywhere, WITHOUT_A_SERVER)


async def test_what_is_read_of_a_log_follows_its_schema(
    natster: Program, settings: ConnectionSettings
) -> None:
    await natster.succeed("import", "--create-log", STANDARD)
    await publish(settings, "natster.events.none.none.none.odd", b"\xff")
    await check_all(natster, READING)
    exported = await natster.succeed("export", "--since", "11")
    assert '"payload_base64"' in exported.out


async def test_what_writing_prints_follows_its_schema(natster: Program) -> None:
    for name, words in WRITING:
        check(name, await natster.succeed(*words))


async def test_outputs_next_to_another_program_follow_their_schema(
    natster: Program, deployed_before: list[ConnectionSettings]
) -> None:
    await check_all(natster.on(deployed_before[0]), BESIDE_ANOTHER_PROGRAM)


async def test_what_versions_of_a_projection_print_follows_its_schema(
    natster: Program, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(ACTIVITY)
    second.write_text(ACTIVITY.replace("version = 1", "version = 2").replace("+ 1", "+ 2"))
    await natster.succeed("import", "--create-log", STANDARD)
    loaded = ("--projection", str(first))
    await natster.succeed("project", "activity", "--once", *loaded)
    check("list-documents", await natster.succeed("list", "activity", *loaded, "--json"))
    check("try", await natster.run("try", str(second), "--json"))
    loaded = ("--projection", str(second))
    await natster.succeed("project", "activity", "--beside", "--once", *loaded)
    check("compare", await natster.run("compare", "activity", *loaded, "--json"))
    check("promote", await natster.succeed("promote", "activity", *loaded, "--yes", "--json"))
