"""A projection of one's own, as its topic tells: written, tried, projected, changed, rolled out."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from natster_tui import docs
from natster_tui.events.account_keys import encode_account_key
from natster_tui.store.connection.link import Link
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.outputs.test_outputs import check
from tests.cli.program import Program
from tests.engine.running import fresh_log
from tests.making_logs import append, imported, initialized, shared

ACTIVITY = next(
    code
    for code in re.findall(r"```python\n(.*?)```", docs.topic("writing").text, re.S)
    if "class ActivityProjection" in code
)
ACCOUNT = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
EVENTS = [initialized("AA", "Ann"), shared("AA", "BB"), imported("BB", "AA"), shared("AA", "CC")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "activity.py"
    file.write_text(ACTIVITY)
    return file


@pytest.fixture
async def program(link: Link, settings: ConnectionSettings, tmp_path: Path) -> Program:
    await append(await fresh_log(link), EVENTS)
    return Program(tmp_path).on(settings)


async def test_it_is_tried_projected_changed_and_rolled_out(program: Program, file: Path) -> None:
    tried = await program.run("try", str(file))
    assert tried.code == 0, tried.err
    assert "activity version 1: 2 documents from 4 events" in tried.out
    assert "nothing is stored in PROJ_ACTIVITY yet" in tried.out
    assert "a second fold (other process, hash seed, batches, clock) gives the same" in tried.out

    with_it = ("--projection", str(file))
    projected = await program.run("project", "--once", *with_it)
    assert projected.lines[-1] == "activity: at 4, 2 keys, parked 0"
    shown = await program.run("show", "activity", "AA", "--json", *with_it)
    assert shown.json["document"] == {
        "events": 3,
        "first_seen": shown.json["document"]["first_seen"],
    }
    named = await program.succeed("show", "activity", "Ann", "--json", *with_it)
    assert named.json["key"] == "AA"
    assert "there can be no activity A Nobody" in (
        await program.fail(2, "show", "activity", "A Nobody", *with_it)
    )
    assert "version 1 of activity is in use already, from a package or another file" in (
        await program.fail(2, "show", "activity", "AA", *with_it, *with_it)
    )
    assert (await program.run("verify", "activity", *with_it)).code == 0
    why = await program.run("why", "activity", "AA", *with_it)
    assert "~ events 2 → 3" in why.out

    text = file.read_text()
    file.write_text(with_last_seen(text).replace("version = 2", "version = 1"))
    tried = await program.run("try", str(file))
    raise_it = "version 1 is stored with other documents: raise version before you roll this out"
    assert (tried.code, tried.lines.count(raise_it)) == (1, 1)
    assert (await program.run("try", str(file), "--json")).json[0]["raise_version"] is True
    file.write_text(with_last_seen(text))
    tried = await program.run("try", str(file))
    assert tried.code == 1
    assert "raise version" not in tried.out
    printed = await program.run("try", str(file), "--json")
    check("try", printed)
    assert printed.json[0]["raise_version"] is False
    assert "compared with version 1 stored at 4: 0 added, 2 changed, 0 removed" in tried.out
    assert "+ last_seen in 2 of 2" in tried.out
    status = await program.run("status", *with_it)
    assert "PROJ_ACTIVITY is of projector version 1, this is version 2: rebuild" in status.out
    assert (await program.run("rebuild", "activity", "--yes", *with_it)).code == 0
    assert (await program.run("try", str(file))).code == 0
    file.write_text(text)
    older = await program.run("project", "--once", *with_it)
    assert older.code != 0
    assert "holds version 2 of the activity projection" in older.err
    status = await program.run("status", *with_it)
    assert "this is version 1: upgrade this program, or rebuild activity to go back" in status.out
    verified = await program.run("verify", "activity", *with_it)
    assert verified.code == 1
    assert verified.lines[0] == (
        "activity: PROJ_ACTIVITY holds version 2, and this program has version 1: 2 of 2 keys "
        "differ from what version 1 makes of the log at 4"
    )


async def test_its_documents_are_listed_with_a_column_for_each_field(
    program: Program, file: Path
) -> None:
    with_it = ("--projection", str(file))
    heading, ann, nameless = (await program.succeed("list", "activity", *with_it)).lines
    assert heading.split("  ")[0] == "NAME"
    assert heading.split() == ["NAME", "KEY", "EVENTS", "FIRST", "SEEN"]
    assert ann.split()[:3] == ["Ann", "AA", "3"]
    assert "ago)" in ann
    assert nameless.split()[:3] == ["-", "BB", "1"]
    for filter_text in ("an", "aa"):
        found = await program.succeed("list", "activity", filter_text, "--json", *with_it)
        assert found.json["at"] == 4
        assert [(each["key"], each["name"]) for each in found.json["documents"]] == [("AA", "Ann")]
        assert found.json["documents"][0]["document"]["events"] == 3
    earlier = await program.succeed("list", "activity", "--at", "1", "--json", *with_it)
    assert [each["document"]["events"] for each in earlier.json["documents"]] == [1]
    assert await program.fail(1, "list", "activity", "nope", *with_it) == (
        "there are no documents of activity like nope as of 4"
    )
    assert "there are account, catalog, activity" in await program.fail(2, "list", "no", *with_it)


async def test_documents_of_catalogs_are_listed_by_the_catalogs_name(
    program: Program, file: Path
) -> None:
    file.write_text(
        file.read_text()
        .replace("Part.ORIGIN", "Part.CATALOG")
        .replace('key_noun = "account"', 'key_noun = "catalog"')
        .replace("first_seen: int", "first_seen: int\n    access_token: str = 'secret'")
    )
    heading, row = (await program.succeed("list", "activity", "--projection", str(file))).lines
    assert heading.split() == ["CATALOG", "EVENTS", "FIRST", "SEEN", "ACCESS", "TOKEN"]
    assert row.split()[1] == "3"
    assert "secret" not in row


async def test_of_many_documents_the_first_are_listed_and_the_rest_is_counted(
    link: Link, settings: ConnectionSettings, file: Path, tmp_path: Path
) -> None:
    accounts = [f"A{number:02}" for number in range(23)]
    await append(await fresh_log(link), [initialized(account, "Ann") for account in accounts])
    tried = await Program(tmp_path).on(settings).succeed("try", str(file))
    assert [account for account in accounts if f"  {account} " in tried.out] == accounts[:20]
    assert "  … and 3 more" in tried.lines


async def test_of_many_documents_that_differ_ten_are_listed_by_name_and_the_rest_is_counted(
    natster: Program, file: Path, tmp_path: Path
) -> None:
    second = tmp_path / "activity_v2.py"
    second.write_text(with_last_seen(ACTIVITY))
    stored, changed = ("--projection", str(file)), ("--projection", str(second))
    lines = [json.dumps(_initialized(number)) for number in range(12)]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    await natster.succeed("import", "--create-log", str(tmp_path / "log.jsonl"))
    await natster.succeed("project", "activity", "--once", *stored)
    await natster.succeed("project", "activity", "--beside", "--once", *changed)
    told = (
        await natster.run("compare", "activity", *changed),
        await natster.run("promote", "activity", *changed),
        await natster.run("try", str(second)),
        await natster.run("verify", "activity", *changed),
        await natster.run("rebuild", "activity", "--dry-run", *changed),
    )
    for ended in told:
        named = [line for line in ended.lines if line.endswith(" changed")]
        assert len(named) == 10, ended
        assert all(re.fullmatch(r"  Account \d+ \(A\w{3}…\w{3}\) changed", line) for line in named)
        assert "  … and 2 more" in ended.lines
    whole = await natster.run("compare", "activity", "--json", *changed)
    assert len(whole.json["changed"]) == 12


def _initialized(number: int) -> dict[str, Any]:
    """A line of an exported log: an account that gives itself a name."""
    account = encode_account_key(bytes([number + 1]) * 32)
    payload = {"account_key": account, "account_name": f"Account {number}"}
    return {
        "seq": number + 1,
        "time": "2026-11-23T03:13:15Z",
        "subject": f"natster.events.{account}.none.none.natster_initialized",
        "headers": {},
        "payload": json.dumps(payload),
    }


async def test_a_second_version_is_projected_beside_the_first_compared_and_dropped(
    program: Program, file: Path, tmp_path: Path
) -> None:
    first = ("--projection", str(file))
    await program.succeed("project", "activity", "--once", *first)
    second = tmp_path / "activity_v2.py"
    second.write_text(with_last_seen(ACTIVITY))
    both = (*first, "--projection", str(second))
    assert "no version 2 of activity is stored beside" in await program.fail(
        1, "compare", "activity", *both
    )
    projected = await program.succeed("project", "activity", "--beside", "--once", *both)
    assert projected.lines == ["activity.v2: at 4, 2 keys, parked 0"]
    # The same whether the first version is loaded as well, is the only one loaded, or neither.
    for loaded in (both, first, both[2:]):
        compared = await program.run("compare", "activity", *loaded)
        assert compared.code == 1, compared.err
        assert (
            "at 4: 0 equal, 2 changed, 0 only in version 1, 0 only in version 2" in compared.lines
        )
        assert "  + last_seen in 2 of 2" in compared.lines
    printed = await program.run("compare", "activity", "--json", *both)
    check("compare", printed)
    told = printed.json
    status = await program.succeed("status", *both)
    assert "activity    at 4, lag 0, 2 keys, parked 0, version 1" in status.lines
    assert f"{'':<12}version 2 beside, in PROJ_ACTIVITY_v2: at 4, lag 0" in status.lines
    printed = await program.succeed("status", "--json", *both[2:])
    check("status", printed)
    shown = printed.json["projections"][2]
    assert (shown["version"], shown["version_here"]) == (1, 2)
    assert shown["beside"] == [
        {
            "version": 2,
            "bucket": "PROJ_ACTIVITY_v2",
            "position": 4,
            "lag": 0,
            "lease": None,
            "rebuild_lease": None,
        }
    ]
    assert (told["seq"], told["equal"], len(told["changed"])) == (4, 0, 2)
    assert told["stored"]["version"] == 1
    assert told["beside"] == {
        "version": 2,
        "bucket": "PROJ_ACTIVITY_v2",
        "position": 4,
        "lag": 0,
        "documents": 2,
        "projector": None,
    }
    assert "only project activity --beside, compare" in await program.fail(
        2, "verify", "activity", *both
    )
    verified = await program.succeed("verify", "activity.v2", *both)
    assert verified.lines == ["activity.v2: 2 keys match the log at 4"]
    assert "activity.v2 is not loaded here" in await program.fail(
        2, "verify", "activity.v2", *first
    )
    for named in (("activity",), ("activity.v2",)):
        shown = await program.run("show", *named, "AA", "--json", *both[2:])
        assert (shown.json["kind"], shown.json["document"]["events"]) == (*named, 3)
    shown = await program.succeed("show", "activity.v2", "Ann", "--json", *both)
    assert {"events", "first_seen", "last_seen"} == shown.json["document"].keys()
    listed = await program.succeed("list", "activity.v2", *both)
    assert listed.lines[0].split() == ["NAME", "KEY", "EVENTS", "FIRST", "SEEN", "LAST", "SEEN"]
    why = await program.succeed("why", "activity.v2", "AA", *both)
    assert "+ last_seen" in why.out
    changed = await program.succeed("diff", "activity.v2", "AA", "--from", "1", *both)
    assert "~ events 1 → 3" in changed.out
    assert "activity.v2 is not loaded here" in await program.fail(
        2, "show", "activity.v2", "AA", *first
    )
    assert "--take-over is for stored projections" in await program.fail(
        2, "rebuild", "activity.v2", "--take-over", *both
    )
    refused = await program.run("drop", "activity", *first)
    assert refused.code == 1
    assert "not confirmed: nothing was deleted" in refused.err
    assert "--read-only" in await program.fail(1, "drop", "activity", "--read-only", *first)
    dropped = await program.succeed("drop", "activity", "--yes", *first)
    assert dropped.out == "deleted PROJ_ACTIVITY_v2\n"
    assert (await program.run("verify", "activity", *first)).code == 0
    assert "PROJ_ACTIVITY holds version 1 of activity already" in await program.fail(
        1, "project", "activity", "--beside", "--once", *first
    )


async def test_a_second_version_is_rolled_out_by_the_topics_commands(
    program: Program, file: Path, tmp_path: Path
) -> None:
    commands = [line.split()[1:] for line in _beside_section().splitlines() if line]
    assert [words[0] for words in commands] == ["project", "compare", "promote", "drop"]
    await program.succeed("project", "activity", "--once", "--projection", str(file))
    (tmp_path / "activity_v2.py").write_text(with_last_seen(ACTIVITY))
    project, compare, promote, drop = commands
    with_it = ("--projection", "activity_v2.py")
    says = "PROJ_ACTIVITY is of projector version 1, this is version 2"
    assert f"{says}: rebuild activity" in (await program.run("status", *with_it)).out
    await program.succeed(*project, "--once")
    waits = f"{says}, which is stored beside: promote activity"
    assert waits in (await program.run("status", *with_it)).out
    assert waits in await program.fail(1, "project", "activity", "--once", *with_it)
    assert "+ last_seen in 2 of 2" in (await program.run(*compare)).out
    refused = await program.run(*promote)
    assert refused.code == 1
    assert "Make version 2 the stored one, in PROJ_ACTIVITY? [y/N]" in refused.err
    # The version beside is no projection of its own that could be rolled out without its file.
    assert "version 2 of activity is not loaded here" in await program.fail(
        2, "promote", "activity", "--projection", str(file), "--yes"
    )
    promoted = await program.run(*promote, "--yes")
    assert promoted.code == 0, promoted.err
    assert promoted.lines[-1] == (
        "promoted and verified: version 2 of activity: 2 keys match the log at 4"
    )
    assert "natster-tui drop activity deletes it" in promoted.err
    printed = await program.succeed(*promote, "--yes", "--json")
    check("promote", printed)
    again = printed.json
    assert (again["version"], again["match"], again["bucket"]) == (2, True, "PROJ_ACTIVITY")
    older = await program.fail(1, "project", "--once", "--projection", str(file))
    assert "holds version 2 of the activity projection" in older
    assert "or rebuild activity to go back" in older
    await program.succeed("project", "activity", "--beside", "--once", "--projection", str(file))
    older = await program.fail(1, "project", "--once", "--projection", str(file))
    assert "or promote activity to go back" in older
    assert (await program.run("drop", "activity", "--version", "1", *with_it, "--yes")).code == 0
    assert (await program.run(*drop, "--yes")).out == "deleted PROJ_ACTIVITY_v2\n"
    assert (await program.run("verify", "activity", *with_it)).code == 0


def _beside_section() -> str:
    """The commands of the topic's section about versions side by side."""
    text = docs.topic("writing").text.partition("## Project a new version beside")[2]
    return text.partition("```sh\n")[2].partition("```")[0]


def with_last_seen(text: str) -> str:
    """The topic's projection as its version 2, which knows when an account was last seen."""
    return (
        text.replace("version = 1", "version = 2")
        .replace("first_seen: int\n", "first_seen: int\n    last_seen: int\n")
        .replace("first_seen=event.time)", "first_seen=event.time, last_seen=event.time)")
        .replace("+ 1})", '+ 1, "last_seen": event.time})')
    )


async def test_its_permissions_are_listed_and_those_of_a_second_version_beside_it(
    program: Program, file: Path, tmp_path: Path
) -> None:
    second = tmp_path / "activity_v2.py"
    second.write_text(with_last_seen(ACTIVITY))
    page = docs.topic("permissions").text
    offline = Program(tmp_path)
    assert (await offline.succeed("help", "permissions")).out == page
    own = (await offline.succeed("help", "permissions", "--projection", str(file))).out
    assert '"$KV.PROJ_ACTIVITY.>"' in own
    assert "PROJ_ACTIVITY_v2" not in own
    both = await offline.succeed(
        "help", "permissions", "--projection", str(file), "--projection", str(second)
    )
    assert '"$KV.PROJ_ACTIVITY_v2.>"' in both.out
    assert '"$JS.API.STREAM.DELETE.KV_PROJ_ACTIVITY_v2"' in both.out
    assert 'DELETE.KV_PROJ_ACTIVITY"' not in both.out


async def test_a_log_is_folded_without_a_server(
    program: Program, file: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text((await program.run("export", "--open")).out)
    offline = Program(tmp_path)
    folded = await offline.run("fold", str(log), "activity", "--projection", str(file))
    assert folded.json["activity"]["AA"]["events"] == 3
    expected = tmp_path / "expected.json"
    expected.write_text(folded.out)
    again = ("fold", str(log), "activity", "--projection", str(file), "--expect", str(expected))
    assert (await offline.run(*again)).code == 0
    expected.write_text(folded.out.replace('"events": 3', '"events": 4'))
    differs = await offline.run(*again)
    assert differs.code == 1
    assert "~ events 4 → 3" in differs.out
    expected.write_text("[]")
    assert (await offline.run(*again)).code == 2


async def test_a_sealed_log_is_folded_with_its_keys(natster: Program, tmp_path: Path) -> None:
    binding = {"oauth_id": "github|ann", "bound_context": {"access_token": "hidden-token"}}
    for event, data in (("initialized", {}), ("bound", binding)):
        given = ("publish", event, "--origin", ACCOUNT, "--data", json.dumps(data))
        await natster.succeed(*given, "--create-log")
    log, plain = tmp_path / "log.jsonl", tmp_path / "plain.jsonl"
    log.write_text((await natster.succeed("export", "--keys")).out)
    plain.write_text((await natster.succeed("export")).out)
    kept = json.loads((await natster.succeed("show", "account", ACCOUNT, "--json", "--reveal")).out)

    keys = str(natster.key_file)
    offline = Program(tmp_path / "elsewhere")
    fold = ("fold", str(log), "account", "--key-file", keys)
    whole = await offline.succeed(*fold, "--reveal")
    assert whole.json["account"][ACCOUNT] == kept["document"]
    masked = await offline.succeed(*fold)
    assert "github|ann" in masked.out
    assert "hidden-token" not in masked.out
    for expected in (whole, masked):
        (tmp_path / "expected.json").write_text(expected.out)
        await offline.succeed(*fold, "--expect", str(tmp_path / "expected.json"))

    without = await offline.run("fold", str(log), "account", "--key-file", str(tmp_path / "none"))
    assert without.code == 2
    assert "there is no key file" in without.err
    keyless = await offline.run("fold", str(plain), "account", "--key-file", keys)
    assert keyless.code == 2
    assert "the file holds no keys: write it with export --keys" in keyless.err


_COUNTED = "    numbers = __import__('itertools').count()\n"
"""What a rule must not use: it is gone after a restart."""


@pytest.mark.parametrize(
    ("changed", "to", "why"),
    [
        *(
            ("event.time)", f"{odd})", "the rule is not deterministic: a second fold differs at")
            for odd in (
                "hash(key)",
                "int(__import__('datetime').datetime.now().timestamp())",
                "__import__('datetime').date.today().toordinal()",
                "__import__('datetime').datetime.fromtimestamp(event.time).hour",
                "next(self.numbers)",
            )
        ),
        ("if document", "if 1 / 0 and document", "activity failed at event 1 .*ZeroDivisionError"),
        (
            "document.events + 1",
            '"many"',
            "failed at event 2: .* AA cannot be stored: its model refu",
        ),
        ("frozen=True", "", "Activity must be frozen|changed the document"),
    ],
)
async def test_a_failing_rule_is_reported(
    program: Program, file: Path, changed: str, to: str, why: str
) -> None:
    file.write_text(file.read_text().replace(changed, to) + _COUNTED)
    tried = await program.run("try", str(file))
    assert tried.code != 0
    assert re.search(why, tried.out + tried.err)
    assert "Traceback" not in tried.err


async def test_what_a_rule_prints_stays_out_of_the_answer(program: Program, file: Path) -> None:
    rule = "        if document is None:"
    text = file.read_text()
    assert rule in text
    file.write_text(text.replace(rule, f'        print("x" * 100_000)\n{rule}'))
    tried = await program.run("try", str(file))
    assert tried.code == 0, tried.err
    assert "a second fold (other process, hash seed, batches, clock) gives the same" in tried.out


async def test_it_is_tried_again_whenever_it_is_saved(program: Program, file: Path) -> None:
    process = await program.start("try", str(file), "--watch")
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        await _reads(process.stdout, "a second fold")
        file.write_text(file.read_text().replace("document.events + 1", "document.events + 2"))
        await _reads(process.stdout, '"events": 5')
        file.write_text("class A(:\n")
        await _reads(process.stderr, "SyntaxError")
    finally:
        process.terminate()
        await process.wait()


async def _reads(lines: asyncio.StreamReader, wanted: str) -> None:
    async with asyncio.timeout(30):
        while wanted not in (line := (await lines.readline()).decode()):
            assert line, f"it ended before {wanted}"
