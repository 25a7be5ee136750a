from __future__ import annotations

import pytest

from natster_tui.engine.log.import_events import import_records
from natster_tui.store.log import EventLog
from tests.cli.outputs.test_outputs import ACTIVITY
from tests.cli.program import Ended, Program, together
from tests.conftest import recording

A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"


async def completed(program: Program, *words: str, shell: str = "bash") -> Ended:
    """What a shell is told when the last of the words is completed."""
    line = ["natster-tui", *program.options, *words]
    variables = {
        "_NATSTER_TUI_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(line),
        "COMP_CWORD": str(len(line) - 1),
    }
    return await program.with_variables(variables).succeed()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_a_shell_gets_its_script(anywhere: Program, shell: str) -> None:
    script = (await anywhere.succeed("completion", shell)).out
    assert f"_NATSTER_TUI_COMPLETE={shell}_complete" in script
    assert not (anywhere.home / "data").exists()


async def test_names_of_outputs_are_completed(anywhere: Program) -> None:
    ended = await completed(anywhere, "schema", "keys-")
    assert ended.lines == ["plain,keys-list", "plain,keys-rotate", "plain,keys-erase"]


async def test_topics_commands_and_projections_are_completed(anywhere: Program) -> None:
    topic, projection, settings = await together(
        completed(anywhere, "help", "se"),
        completed(anywhere, "rebuild", "acc"),
        completed(anywhere, "--settings", "se"),
    )
    assert topic.lines == ["plain,settings", "plain,sealing"]
    assert projection.lines == ["plain,account"]
    assert settings.lines == ["file,se"]


async def test_accounts_and_catalogs_are_completed_from_the_log(
    natster: Program, log: EventLog
) -> None:
    await import_records(log, recording("01"), "t")
    by_name, by_key, catalog, origin, unreachable = await together(
        completed(natster, "show", "account", "n-acb"),
        completed(natster, "keys", "erase", A[:5]),
        completed(natster, "why", "catalog", "kev"),
        completed(natster, "publish", "shared", "--origin", A[:5]),
        completed(natster.with_options("--server", "127.0.0.1:1"), "show", "account", "A"),
    )
    assert by_name.lines == by_key.lines == origin.lines == [f"plain,{A}"]
    assert catalog.lines == ["plain,kevbuzz"]
    assert unreachable.out.strip() == ""


async def test_contexts_files_and_words_are_completed_without_a_server(anywhere: Program) -> None:
    contexts = anywhere.home / "config" / "nats" / "context"
    contexts.mkdir(parents=True)
    (contexts / "staging.json").write_text("{}")
    (contexts / "odd name.json").write_text("{}")
    named, file, command, kind = await together(
        completed(anywhere, "--context", "s"),
        completed(anywhere, "import", "lo"),
        completed(anywhere, "che"),
        completed(anywhere, "show", "cat"),
    )
    assert named.lines == ["plain,staging"]
    assert file.lines == ["file,lo"]
    assert command.lines == ["plain,check-name"]
    assert kind.lines == ["plain,catalog"]


async def test_projections_of_named_files_are_completed(anywhere: Program) -> None:
    anywhere.home.mkdir()
    first, second = anywhere.home / "activity.py", anywhere.home / "activity_v2.py"
    first.write_text(f"print('loaded')\n{ACTIVITY}")
    second.write_text(ACTIVITY.replace("version = 1", "version = 2"))
    broken = anywhere.home / "broken.py"
    broken.write_text("class A(:")
    files = ("--projection", str(first), "--projection", str(second))
    shown, listed, compared, keys, without = await together(
        completed(anywhere, "show", *files, "ac"),
        completed(anywhere, "list", *files, "a"),
        completed(anywhere, "compare", *files, "ac"),
        completed(anywhere.with_options(*files), "show", "ac"),
        completed(anywhere, "show", "--projection", str(broken), "ac"),
    )
    both = ["plain,account", "plain,activity", "plain,activity.v2"]
    assert shown.lines == keys.lines == both
    assert listed.lines == ["plain,accounts", "plain,activity", "plain,activity.v2"]
    assert compared.lines == both[:2]
    assert without.lines == both[:1]


async def test_keys_of_a_named_files_projection_are_completed_as_what_they_are(
    natster: Program, log: EventLog
) -> None:
    await import_records(log, recording("01"), "t")
    natster.home.mkdir(exist_ok=True)
    of_catalogs = natster.home / "catalogs.py"
    text = ACTIVITY.replace("Part.ORIGIN", "Part.CATALOG").replace("activity", "actions")
    of_catalogs.write_text(text.replace("PROJ_ACTIVITY", "PROJ_ACTIONS"))
    of_accounts = natster.home / "activity.py"
    of_accounts.write_text(ACTIVITY)
    account, catalog = await together(
        completed(natster, "show", "--projection", str(of_accounts), "activity", A[:5]),
        completed(natster, "show", "--projection", str(of_catalogs), "actions", "kev"),
    )
    assert account.lines == [f"plain,{A}"]
    assert catalog.lines == ["plain,kevbuzz"]
