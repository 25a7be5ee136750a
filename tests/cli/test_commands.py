"""Every command that needs no terminal, on a server of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.log.import_events import import_records
from natster_tui.events.log.lines import encode_line
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.log import Append, EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.cli.program import Program, altered, together
from tests.cli.raw_jetstream import (
    LEASE,
    consumer_names,
    everything,
    jetstream,
    publish,
    stream_names,
)
from tests.conftest import RECORDINGS, recording
from tests.reading_buckets import put_value, stored_documents, stored_values

HUB = "AC5V4OC2POUAX4W4H7CKN5TQ5AKVJJ4AJ7XZKNER6P6DHKBYGVGJHSNC"
A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
B = "AA33U5HNMJFHIX63KYLTK3J3MMPWQHBUMYDYQQGDS5O3WNCL5GDFQ462"
UNKNOWN = "ADEOEMJCAV46YW2UH2SH4RH5N63AAXB6PQSGGNRP7BIPXFQTWDN2VOWJ"
STANDARD = str(RECORDINGS / "01_standard.events.jsonl")

INITIALIZED_AT = 1_795_403_595
IMPORTED_AT = 1_795_403_597


def context_of(key: str, number: int, letters: str) -> dict[str, Any]:
    return {
        "oauth_id": f"github|{letters}",
        "bound_context": {
            "team_id": f"team-{number}",
            "system_id": f"sys-{number}",
            "account_id": f"acctid-{number}",
            "account_name": f"name-{number}",
            "account_public_key": key,
            "access_token": f"tok-{number}",
            "user_id": f"user-{number}",
            "creds": f"/home/u{number}/.natster/natster.creds",
        },
    }


ACCOUNTS: dict[str, Any] = {
    HUB: {
        "out_shares": [
            {"catalog": "synadiahub", "account": A},
            {"catalog": "synadiahub", "account": B},
        ],
        "in_shares": [],
        "initialized_at": INITIALIZED_AT,
        "account_name": "n-AC5V4O",
    },
    A: {
        "out_shares": [{"catalog": "kevbuzz", "account": B, "imported_at": IMPORTED_AT}],
        "in_shares": [{"catalog": "synadiahub", "account": HUB}],
        "initialized_at": INITIALIZED_AT,
        "account_name": "n-ACB4B3",
        "bound_at": 1_795_403_595,
        "bound_context": context_of(A, 1, "aaa"),
    },
    B: {
        "out_shares": [],
        "in_shares": [
            {"catalog": "synadiahub", "account": HUB},
            {"catalog": "kevbuzz", "account": A, "imported_at": IMPORTED_AT},
        ],
        "initialized_at": INITIALIZED_AT,
        "account_name": "n-AA33U5",
        "bound_at": 1_795_403_597,
        "bound_context": context_of(B, 2, "bbb"),
    },
}
CATALOGS: dict[str, Any] = {
    "synadiahub": {"catalog_name": "synadiahub", "owner": HUB, "shared_with": [A, B]},
    "kevbuzz": {"catalog_name": "kevbuzz", "owner": A, "shared_with": [B]},
}
NAMED_A, NAMED_B = "n-ACB4B3 (ACB4…GDT)", "n-AA33U5 (AA33…462)"
KEVBUZZ_SHARED = f"shared {NAMED_A} → {NAMED_B} kevbuzz"
WRONG = b'{"catalog_name":"kevbuzz","owner":"mallory","shared_with":[]}'


def without_age(line: str) -> str:
    """An event's line without how long ago it happened, which it says after the time."""
    return re.sub(r" \(\d+[smhdy] ago\)", "", line, count=1)


def stored_form(documents: dict[str, Any]) -> dict[str, bytes]:
    """Documents as they are stored: without spaces, keys in this order."""
    return {
        key: json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        for key, value in documents.items()
    }


async def stored_without_checkpoint(settings: ConnectionSettings, bucket: str) -> dict[str, bytes]:
    values = await stored_values(settings, bucket)
    del values["_checkpoint"]
    return values


async def stored_at(settings: ConnectionSettings, bucket: str, seq: int) -> None:
    """Wait until a bucket's checkpoint has reached a sequence."""
    async with asyncio.timeout(15):
        while True:
            values = await stored_values(settings, bucket)
            if json.loads(values["_checkpoint"])["seq"] >= seq:
                return


@pytest.fixture
async def imported(log: EventLog) -> EventLog:
    """The log with the standard recording."""
    await import_records(log, recording("01"), "test")
    return log


@pytest.fixture
async def projected(imported: EventLog) -> EventLog:
    """The log with the standard recording, projected."""
    await project_until_caught_up(imported, PROJECTIONS, "test")
    return imported


# -- the way that a newcomer takes -----------------------------------------------------------


async def test_a_recording_imported_and_projected_is_stored_as_the_design_says(
    natster: Program, settings: ConnectionSettings
) -> None:
    ended = await natster.succeed("import", "--create-log", "--sealing", "off", STANDARD)
    assert ended.lines == ["imported 10 events into NATSTER_EVENTS, 0 were there already"]
    ended = await natster.succeed("project", "--once")
    assert ended.lines == [
        "account: at 10, 3 keys, parked 0",
        "catalog: at 10, 2 keys, parked 0",
    ]
    ended = await natster.succeed("import", STANDARD)
    assert ended.lines == ["imported 0 events into NATSTER_EVENTS, 10 were there already"]
    assert await stored_without_checkpoint(settings, "PROJ_ACCOUNT") == stored_form(ACCOUNTS)
    assert await stored_without_checkpoint(settings, "PROJ_CATALOG") == stored_form(CATALOGS)
    ended = await natster.succeed("verify", "account")
    assert ended.lines == ["account: 3 keys match the log at 10"]


# -- status ----------------------------------------------------------------------------------


async def test_status_shows_the_positions_of_the_log_and_the_projections(
    natster: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    before = (await natster.succeed("status")).out
    assert "NATSTER_EVENTS: 10 events, 1 to 10" in before
    assert before.count("nothing is stored yet") == 2
    assert (revealed(settings.password) or "") not in before
    await project_until_caught_up(imported, PROJECTIONS, "test")
    await publish(settings, f"natster.events.{A}.{HUB}.kevbuzz.catalog_shared")
    told = (await natster.succeed("status", "--json")).json
    assert told["server"] == settings.servers[0]
    assert told["user"] == settings.user
    (clear,) = told["hazards"]
    assert clear.startswith("secrets are stored in clear text: the context_bound at ")
    log = told["log"]
    assert (log["stream"], log["first"], log["head"], log["events"]) == (
        "NATSTER_EVENTS",
        1,
        11,
        11,
    )
    assert log["created"] == imported.info.created
    assert log["sealing"] == "off"
    assert [
        (report["projection"], report["standing"], report["position"], report["lag"])
        for report in told["projections"]
    ] == [("account", "ours", 10, 1), ("catalog", "ours", 10, 1)]
    assert not any(report["written_by_others"] for report in told["projections"])


async def test_status_shows_hazards_and_writes_by_other_programs(
    natster: Program, projected: EventLog, settings: ConnectionSettings
) -> None:
    config = dict((await jetstream(settings, "STREAM.INFO.NATSTER_EVENTS"))["config"])
    await jetstream(settings, "STREAM.UPDATE.NATSTER_EVENTS", config | {"discard": "old"})
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    text = await natster.succeed("status")
    stored = f"account     at 10, lag 0, 3 keys, parked 0, version {PROJECTIONS[0].version}"
    assert stored in text.lines
    assert "discard is old: a full log will forget its first events" in text.out
    assert "something else wrote to PROJ_CATALOG: verify catalog shows" in text.out
    assert "PROJ_ACCOUNT" not in text.out


# -- show ------------------------------------------------------------------------------------


async def test_show_prints_a_document_with_its_secrets_masked(
    natster: Program, imported: EventLog
) -> None:
    masked = await natster.succeed("show", "account", A)
    assert f"account {A} as of 10" in masked.lines[0]
    for secret in ("tok-1", "/home/u1/.natster/natster.creds"):
        assert secret not in masked.out
    shown = json.loads("\n".join(masked.lines[1:]))
    assert shown["bound_context"]["bound_context"]["access_token"] == "••••"
    assert shown["bound_context"]["bound_context"]["creds"] == "••••"
    assert shown["bound_context"]["bound_context"]["user_id"] == "user-1"


async def test_show_as_json_is_kind_key_at_and_document(
    natster: Program, imported: EventLog
) -> None:
    masked, revealed, catalog = await together(
        natster.succeed("show", "account", B, "--json"),
        natster.succeed("show", "account", B, "--json", "--reveal"),
        natster.succeed("show", "catalog", "kevbuzz", "--json"),
    )
    assert revealed.json == {"kind": "account", "key": B, "at": 10, "document": ACCOUNTS[B]}
    assert catalog.json == {
        "kind": "catalog",
        "key": "kevbuzz",
        "at": 10,
        "document": CATALOGS["kevbuzz"],
    }
    assert list(revealed.json) == ["kind", "key", "at", "document"]
    assert list(revealed.json["document"]) == list(ACCOUNTS[B])
    expected = json.loads(json.dumps(ACCOUNTS[B]))
    expected["bound_context"]["bound_context"] |= {"access_token": "••••", "creds": "••••"}
    assert masked.json["document"] == expected
    assert len(masked.lines) == 1


async def test_show_at_a_sequence_or_a_time_is_the_document_as_of_then(
    natster: Program, imported: EventLog
) -> None:
    at_the_head = ACCOUNTS[A]["out_shares"]
    expected = {
        "9": (9, [{"catalog": "kevbuzz", "account": B}]),
        "10": (10, at_the_head),
        "2026-11-23T03:13:16Z": (7, []),
        "2026-11-23 04:13:17+01:00": (10, at_the_head),
    }
    runs = await together(
        *(natster.succeed("show", "account", A, "--at", at, "--json") for at in expected)
    )
    for ended, (seq, shares) in zip(runs, expected.values(), strict=True):
        assert (ended.json["at"], ended.json["document"]["out_shares"]) == (seq, shares)


async def test_a_moment_outside_the_log_is_reported_on_stderr(
    natster: Program, imported: EventLog
) -> None:
    beyond, later, bad, nothing = await together(
        natster.run("show", "account", A, "--at", "9" * 5_000, "--json"),
        natster.run("show", "catalog", "kevbuzz", "--at", "9999-12-31"),
        natster.fail(2, "community", "--at", "someday"),
        natster.run("tail", "--since", "12"),
    )
    assert (beyond.code, beyond.json["at"]) == (0, 10)
    assert beyond.said.endswith("the log ends at 10, so this is as of 10\n")
    assert "is in the future, so this is as of 10" in later.said
    assert bad.startswith("--at: someday is not a sequence (4711), a date")
    assert (nothing.code, nothing.out) == (0, "")
    assert "the log ends at 10, and 12 was asked for" in nothing.said


async def test_events_are_exported_from_a_time_on(natster: Program, imported: EventLog) -> None:
    some, none = await together(
        natster.succeed("export", "--since", "2026-11-23 03:13:17"),
        natster.run("export", "--since", "11"),
    )
    assert [json.loads(line)["seq"] for line in some.lines] == [8, 9, 10]
    assert (none.code, none.out) == (0, "")
    assert "--since 11: the log ends at 10" in none.said


async def test_show_of_what_is_not_there_is_a_no(natster: Program, imported: EventLog) -> None:
    now, then = await together(
        natster.fail(1, "show", "account", UNKNOWN, "--at", "1999-12-31"),
        natster.fail(1, "show", "catalog", "kevbuzz", "--at", "8", "--json"),
    )
    assert now == (
        f"there is no account {UNKNOWN} as of 0 "
        "(--at 1999-12-31: 1999-12-31 00:00:00 UTC is before the first event)"
    )
    assert then == "there is no catalog kevbuzz as of 8"


async def test_an_account_may_be_called_by_its_name_or_the_beginning_of_its_key(
    natster: Program, imported: EventLog
) -> None:
    name = ACCOUNTS[A]["account_name"]
    for_name, for_key, why, several, nobody, no_catalog = await together(
        natster.succeed("show", "account", name.upper(), "--json"),
        natster.succeed("show", "account", A[:6].lower(), "--json"),
        natster.succeed("why", "account", A[:6], "--json"),
        natster.fail(2, "show", "account", "A"),
        natster.fail(2, "show", "account", "no such person"),
        natster.fail(2, "why", "catalog", "a$b"),
    )
    assert (for_name.json["key"], for_key.json["key"], why.json["key"]) == (A, A, A)
    assert "type more of the key" in several
    assert A in several
    assert B in several
    assert nobody.endswith("and no account has that name")
    assert no_catalog.startswith("there can be no catalog a$b: a key has letters")


# -- one event, and the community --------------------------------------------------------------


async def test_an_event_is_printed_with_its_changes(natster: Program, imported: EventLog) -> None:
    text, named, data, revealed, gone = await together(
        natster.succeed("event", "9", "--keys"),
        natster.succeed("event", "9"),
        natster.succeed("event", "7", "--json"),
        natster.succeed("event", "7", "--reveal"),
        natster.fail(1, "event", "11"),
    )
    assert without_age(text.lines[0]) == f"9  2026-11-23 03:13:17  shared {A} → {B} kevbuzz"
    assert text.lines[1:] == [
        "    null",
        f"account {A}",
        f"    + out_shares[kevbuzz {B}]",
        f"account {B}",
        f"    + in_shares[kevbuzz {A}]",
        "catalog kevbuzz (made by this event)",
        '    + catalog_name "kevbuzz"',
        f'    + owner "{A}"',
        f"    + shared_with[{B}]",
    ]
    assert without_age(named.lines[0]) == f"9  2026-11-23 03:13:17  {KEVBUZZ_SHARED}"
    assert f"account {NAMED_A}" in named.lines
    assert f"    + out_shares[kevbuzz {NAMED_B}]" in named.lines
    assert (data.json["seq"], data.json["masked"]) == (7, True)
    assert [change["projection"] for change in data.json["changes"]] == ["account"]
    assert "tok-1" not in data.out
    assert "tok-1" in revealed.out
    assert gone == "there is no event 11: the log ends at 10"


async def test_the_figures_of_the_community_are_printed(
    natster: Program, imported: EventLog
) -> None:
    text, then = await together(
        natster.succeed("community"), natster.succeed("community", "--json", "--at", "5")
    )
    assert text.lines[:3] == [
        "as of 10",
        "       3  accounts initialized",
        "       3  active shares",
    ]
    assert text.lines[-1].endswith(B)
    assert then.json == {
        "at": 5, "accounts_initialized": 3, "active_shares": 1, "catalogs": 1,
        "duplicate_names": {}, "differ_in_case_only": {}, "hubs": [], "prize_candidates": [],
    }  # fmt: skip


# -- why and tail ------------------------------------------------------------------------------


async def test_why_lists_the_events_that_made_a_document_and_what_each_changed(
    natster: Program, imported: EventLog
) -> None:
    text, data, revealed, nothing = await together(
        natster.succeed("why", "account", A),
        natster.succeed("why", "catalog", "kevbuzz", "--json"),
        natster.succeed("why", "account", A, "--json", "--reveal"),
        natster.fail(1, "why", "catalog", "nope"),
    )
    events = [line for line in text.lines if not line.startswith(" ")]
    assert [line.split()[0] for line in events] == ["10", "9", "7", "4", "3"]
    assert without_age(events[1]) == f"9  2026-11-23 03:13:17  {KEVBUZZ_SHARED}"
    assert f"    + out_shares[kevbuzz {NAMED_B}]" in text.out
    assert "••••" in text.out
    assert "tok-1" not in text.out
    assert "tok-1" in revealed.out
    told = data.json
    assert (told["kind"], told["key"], told["at"]) == ("catalog", "kevbuzz", 10)
    (event,) = told["events"]
    assert (event["seq"], event["time"]) == (9, 1_795_403_597)
    assert f'+ owner "{A}"' in event["changes"]
    assert "nope" in nothing


async def test_tail_prints_the_events_that_pass_a_filter(
    natster: Program, imported: EventLog
) -> None:
    everything_there, shares, later, bound, bad = await together(
        natster.succeed("tail", "--json"),
        natster.succeed("tail", "type:shared", "catalog:kevbuzz"),
        natster.succeed("tail", "--since", "9"),
        natster.succeed("tail", "type:bound"),
        natster.fail(2, "tail", "since:someday"),
    )
    assert all(line.endswith(" → web github") for line in bound.lines)
    assert bound.lines
    (line,) = shares.lines
    assert without_age(line) == f"9  2026-11-23 03:13:17  {KEVBUZZ_SHARED}"
    assert [line.split()[0] for line in later.lines] == ["9", "10"]
    events = lines_of(everything_there.out)
    assert [event["seq"] for event in events] == list(range(1, 11))
    assert "tok-1" not in everything_there.out
    assert events[8]["subject"] == f"natster.events.{A}.{B}.kevbuzz.catalog_shared"
    assert "someday" in bad


async def test_tail_ends_with_the_last_ones_that_pass_and_knows_times_ages_and_names(
    natster: Program, imported: EventLog
) -> None:
    last, shares, since_time, since_age, named = await together(
        natster.succeed("tail", "--last", "2"),
        natster.succeed("tail", "type:shared", "-n", "1"),
        natster.succeed("tail", "--since", "2026-11-23 03:13:17"),
        natster.succeed("tail", "--since", "36500d"),
        natster.succeed("tail", "from:n-acb4b3", "type:shared"),
    )
    assert [line.split()[0] for line in last.lines] == ["9", "10"]
    assert len(shares.lines) == 1
    assert [line.split()[0] for line in since_time.lines][-2:] == ["9", "10"]
    assert len(since_age.lines) == 10
    assert [line.split()[0] for line in named.lines] == ["9"]


BROKEN_PACKAGE = """
from importlib.metadata import EntryPoint
from natster_tui.projections.registering import loading

loading.entry_points = lambda group: [EntryPoint("broken", "no_such_module", group)]
"""


async def test_a_package_that_does_not_load_is_reported_once(
    natster: Program, imported: EventLog
) -> None:
    package = altered(natster, BROKEN_PACKAGE)
    ended = await together(package.run("tail"), package.run("tail", "--last", "2"))
    assert [each.err.count("broken of a package does not load") for each in ended] == [1, 1]


async def test_tail_follows_what_comes_in_and_masks_secrets_in_headers(
    natster: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    following = await natster.start("tail", "--since", "10", "--follow", "--json")
    assert following.stdout is not None
    async with asyncio.timeout(15):
        assert json.loads(await following.stdout.readline())["seq"] == 10
        key = "-----BEGIN PRIVATE KEY-----"
        await imported.append_all(
            [
                Append(
                    f"natster.events.{A}.none.none.natster_initialized",
                    b"not json, password hunter2",
                    (("Nats-Msg-Id", "one"), ("Authorization", "hunter2"), ("X", key)),
                )
            ],
            expected_last=None,
        )
        line = await following.stdout.readline()
    event = json.loads(line)
    assert (event["seq"], event["headers"]["Nats-Msg-Id"]) == (11, "one")
    assert b"hunter2" not in line
    assert key not in event["headers"]["X"]
    following.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(following.communicate(), 10)
    assert err.decode().strip() == "natster-tui: interrupted"
    assert following.returncode == 130
    assert await consumer_names(settings, "NATSTER_EVENTS") == []


# -- verify ----------------------------------------------------------------------------------


async def test_verify_finds_what_was_tampered_with(
    natster: Program, projected: EventLog, settings: ConnectionSettings
) -> None:
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    await put_value(settings, "PROJ_CATALOG", "made-up", WRONG)
    await put_value(settings, "PROJ_CATALOG", "synadiahub", None)
    before = await everything(settings)
    text, data = await together(natster.run("verify"), natster.run("verify", "--json"))
    assert (text.code, data.code, text.err, data.err) == (1, 1, "", "")
    assert "account: 3 keys match the log at 10" in text.lines
    assert "catalog: drift at 10: 3 of 3 keys differ from the log" in text.lines
    assert "  kevbuzz changed" in text.lines
    assert '    ~ owner "mallory" → "n-ACB4B3 (ACB4…GDT)"' in text.lines
    assert "  made-up removed" in text.lines
    assert "  synadiahub added" in text.lines
    account, catalog = data.json
    assert (account["projection"], account["match"], account["drift"]) == ("account", True, [])
    assert (catalog["projection"], catalog["match"], catalog["seq"]) == ("catalog", False, 10)
    assert catalog["drift"] == [
        {"key": "kevbuzz", "kind": "changed"},
        {"key": "made-up", "kind": "removed"},
        {"key": "synadiahub", "kind": "added"},
    ]
    assert await everything(settings) == before


async def test_verify_shows_no_secret_of_a_stored_value_that_cannot_be_read(
    natster: Program, projected: EventLog, settings: ConnectionSettings
) -> None:
    half = b'{"bound_context":{"access_token":"tok-1","creds":"/home/u1/'
    await put_value(settings, "PROJ_ACCOUNT", A, half)
    ended = await natster.run("verify", "account")
    assert (ended.code, ended.err) == (1, "")
    assert "  n-ACB4B3 (ACB4…GDT) changed" in ended.lines
    assert "tok-1" not in ended.out


async def test_verify_of_nothing_is_a_no(natster: Program, imported: EventLog) -> None:
    ended = await natster.run("verify")
    assert (ended.code, ended.err) == (1, "")
    assert ended.lines[0] == "account: nothing is stored yet; project or rebuild it"


# -- rebuild ---------------------------------------------------------------------------------


async def test_a_dry_run_shows_the_differences_and_writes_nothing(
    natster: Program, projected: EventLog, settings: ConnectionSettings
) -> None:
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    before = await everything(settings)
    text, data = await together(
        natster.succeed("rebuild", "--dry-run"),
        natster.succeed("rebuild", "--dry-run", "--purge", "--json"),
    )
    assert "log: 10 events, 1 to 10" in text.lines[0]
    assert "account: at 10, no differences" in text.lines
    assert "catalog: at 10, 0 added, 1 changed, 0 removed" in text.lines
    assert '    ~ owner "mallory" → "n-ACB4B3 (ACB4…GDT)"' in text.lines
    assert text.lines.index("  ~ owner in 1 of 2") < text.lines.index("  kevbuzz changed")
    account, catalog = data.json
    assert catalog["stored_version"] == catalog["version"] == PROJECTIONS[1].version
    assert catalog["fields"][0] == {"sign": "~", "field": "owner", "documents": 1}
    assert (account["projection"], account["changes"]) == ("account", [])
    assert (catalog["projection"], catalog["seq"], catalog["keys"]) == ("catalog", 10, 2)
    assert catalog["changes"][0]["key"] == "kevbuzz"
    assert catalog["changes"][0]["kind"] == "changed"
    assert len(catalog["changes"][0]["fields"]) == 2
    assert await everything(settings) == before


async def test_a_dry_run_makes_no_bucket(
    natster: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    ended = await natster.succeed("rebuild", "--dry-run")
    assert "account: at 10, 3 added, 0 changed, 0 removed" in ended.lines
    assert list(await everything(settings)) == ["NATSTER_EVENTS"]


@pytest.mark.parametrize("how", [(), ("--purge",)])
async def test_a_rebuild_puts_everything_right_and_never_writes_to_the_log(
    natster: Program, projected: EventLog, settings: ConnectionSettings, how: tuple[str, ...]
) -> None:
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    await put_value(settings, "PROJ_CATALOG", "made-up", WRONG)
    await put_value(settings, "PROJ_ACCOUNT", HUB, None)
    before = await everything(settings)
    ended = await natster.succeed("rebuild", "--yes", *how)
    assert ended.lines[-2:] == [
        "rebuilt and verified: account: 3 keys match the log at 10",
        "rebuilt and verified: catalog: 2 keys match the log at 10",
    ]
    assert await stored_without_checkpoint(settings, "PROJ_ACCOUNT") == stored_form(ACCOUNTS)
    assert await stored_without_checkpoint(settings, "PROJ_CATALOG") == stored_form(CATALOGS)
    after = await everything(settings)
    assert after["NATSTER_EVENTS"] == before["NATSTER_EVENTS"]
    assert after["KV_PROJ_CATALOG"]["created"] == before["KV_PROJ_CATALOG"]["created"]
    for stream in after:
        assert await consumer_names(settings, stream) == []


async def test_a_rebuild_makes_buckets_that_are_missing_as_the_design_says(
    natster: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    ended = await natster.succeed("rebuild", "catalog", "--yes", "--json")
    (verdict,) = ended.json
    assert (verdict["projection"], verdict["seq"], verdict["keys"]) == ("catalog", 10, 2)
    assert (verdict["match"], verdict["drift"]) == (True, [])
    held = await everything(settings)
    assert list(held) == ["KV_PROJ_CATALOG", "NATSTER_EVENTS"]
    config = held["KV_PROJ_CATALOG"]["config"]
    assert config["max_msgs_per_subject"] == 1
    assert (config["storage"], config["discard"], config["max_bytes"]) == ("file", "new", -1)
    assert config["allow_atomic"]
    assert config["allow_direct"]
    assert config["allow_rollup_hdrs"]
    assert await stored_without_checkpoint(settings, "PROJ_CATALOG") == stored_form(CATALOGS)


async def test_a_rebuild_of_one_key_puts_that_one_right_and_no_other(
    natster: Program, projected: EventLog, settings: ConnectionSettings
) -> None:
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    await put_value(settings, "PROJ_CATALOG", "made-up", WRONG)
    await put_value(settings, "PROJ_CATALOG", "synadiahub", WRONG)
    await publish(settings, f"natster.events.{A}.{HUB}.kevbuzz.catalog_shared")
    before = await stored_values(settings, "PROJ_CATALOG")
    await natster.succeed("rebuild", "catalog", "--key", "kevbuzz", "--yes")
    after = await stored_values(settings, "PROJ_CATALOG")
    assert after["kevbuzz"] == stored_form(CATALOGS)["kevbuzz"], "as of the checkpoint's sequence"
    assert (after["synadiahub"], after["made-up"]) == (WRONG, WRONG)
    kept = {**json.loads(before["_checkpoint"]), "touched": True}
    assert json.loads(after["_checkpoint"]) == kept
    await natster.succeed("rebuild", "catalog", "--key", "made-up", "--yes")
    assert "made-up" not in await stored_values(settings, "PROJ_CATALOG")
    held = await everything(settings)
    sentence = (await natster.run("rebuild", "catalog", "--key", "nobody", "--yes")).sentence
    assert sentence == "there is no catalog nobody, neither stored nor in the log at 10"
    assert await everything(settings) == held


async def test_a_rebuild_that_is_declined_writes_nothing(
    natster: Program, projected: EventLog, settings: ConnectionSettings
) -> None:
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    before = await everything(settings)
    runs = await together(
        natster.run("rebuild", given="n\n"),
        natster.run("rebuild"),
        natster.run("rebuild", "--purge", given="y\n"),
        natster.run("rebuild", "catalog", "--key", "kevbuzz", given="n\n"),
    )
    for ended in runs:
        assert ended.code == 1
        assert "not confirmed: nothing was written" in ended.err
        assert "Traceback" not in ended.err
        assert "rebuilt" not in ended.out
    assert "in scripts use --yes" in runs[1].err
    assert await everything(settings) == before


async def test_a_rebuild_that_is_confirmed_writes(
    natster: Program, projected: EventLog, settings: ConnectionSettings
) -> None:
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    ended = await natster.run("rebuild", given="y\n")
    assert (ended.code, ended.err.strip()) == (0, "Write these changes? [y/N]:")
    assert await stored_documents(settings, "PROJ_CATALOG") == CATALOGS
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    ended = await natster.run("rebuild", "--purge", given="account catalog\n")
    assert ended.code == 0
    assert await stored_documents(settings, "PROJ_CATALOG") == CATALOGS
    assert ended.lines[-1] == "rebuilt and verified: catalog: 2 keys match the log at 10"


async def test_a_rebuild_beside_a_live_projector_is_taken_up_by_it(
    natster: Program, projected: EventLog, settings: ConnectionSettings
) -> None:
    projector = await natster.start("project")
    assert projector.stderr is not None
    told = b""
    while told.count(b": projecting") < 2:
        told += await projector.stderr.readline()
    await put_value(settings, "PROJ_CATALOG", "kevbuzz", WRONG)
    await natster.succeed("rebuild", "--purge", "--yes")
    assert await stored_documents(settings, "PROJ_CATALOG") == CATALOGS
    seq = await publish(settings, f"natster.events.{A}.{HUB}.kevbuzz.catalog_shared")
    await stored_at(settings, "PROJ_CATALOG", seq)
    kevbuzz = (await stored_documents(settings, "PROJ_CATALOG"))["kevbuzz"]
    assert kevbuzz["shared_with"] == [B, HUB]
    projector.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(projector.communicate(), 10)
    assert b"Traceback" not in err
    assert await consumer_names(settings, "NATSTER_EVENTS") == []


async def test_a_stopped_projector_releases_its_lease(
    natster: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    projector = await natster.start("project")
    assert projector.stderr is not None
    told = b""
    while told.count(b": projecting") < 2:
        told += await projector.stderr.readline()
    projector.terminate()
    _, err = await asyncio.wait_for(projector.communicate(), 10)
    assert projector.returncode == 0
    assert b"natster-tui:" not in err
    assert b"Traceback" not in err
    assert await consumer_names(settings, "NATSTER_EVENTS") == []
    assert (await jetstream(settings, f"STREAM.INFO.{LEASE}"))["state"]["messages"] == 0


# -- publish ---------------------------------------------------------------------------------


async def test_publish_appends_what_the_state_permits(
    natster: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    ended = await natster.succeed("publish", "catalog_shared", "--origin", HUB, "--target", A,
                                  "--catalog", "more")  # fmt: skip
    assert ended.lines == ["published catalog_shared as 11"]
    name = json.dumps({"account_name": "Zoë"})
    ended = await natster.succeed("publish", "natster_initialized", "--origin", A, "--data", name)
    assert ended.lines == ["published natster_initialized as 12"]
    told = await natster.succeed("project", "--once", "--json")
    assert [(each["projection"], each["seq"]) for each in told.json] == [
        ("account", 12),
        ("catalog", 12),
    ]
    shared, named = await imported.record_at(11), await imported.record_at(12)
    assert shared is not None
    assert named is not None
    assert shared.subject == f"natster.events.{HUB}.{A}.more.catalog_shared"
    assert shared.payload == b""
    assert named.subject == f"natster.events.{A}.none.none.natster_initialized"
    assert named.payload == name.encode()
    assert shared.header("Nats-Msg-Id")
    assert shared.header("Nats-Msg-Id") != named.header("Nats-Msg-Id")
    assert shared.header("Natster-Occurred-At") is None


async def test_publish_takes_short_words_and_names_of_accounts(
    natster: Program, imported: EventLog
) -> None:
    ended = await natster.succeed("publish", "shared", "--origin", "N-ac5", "--target", "ACB4…GDT",
                                  "--catalog", "more")  # fmt: skip
    assert ended.lines == [
        "published catalog_shared as 11",
        f"    N-ac5 is n-AC5V4O, {HUB}",
        f"    ACB4…GDT is n-ACB4B3, {A}",
    ]
    several, none = await together(
        natster.fail(2, "publish", "shared", "--origin", "n-", "--target", B, "--catalog", "x"),
        natster.fail(1, "publish", "shared", "--origin", "Zoe", "--target", B, "--catalog", "x"),
    )
    assert A in several
    assert HUB in several
    assert (
        none == "not published: the origin is not an account key: it has 3 characters instead of 56"
    )


async def test_publish_refuses_what_would_be_parked_or_change_nothing(
    natster: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    before = await everything(settings)
    to_b = ("--origin", A, "--target", B, "--catalog")
    sentences = await together(
        natster.fail(1, "publish", "catalog_shared", *to_b, "kevbuzz"),
        natster.fail(1, "publish", "catalog_shared", *to_b, "synadiahub"),
        natster.fail(1, "publish", "catalog_shared", *to_b, "bad$name"),
        natster.fail(1, "publish", "context_bound", "--origin", A, "--data", "null"),
    )
    assert all(sentence.startswith("not published: ") for sentence in sentences)
    assert await everything(settings) == before


async def test_of_those_who_publish_the_same_at_once_one_wins(
    natster: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    share = ("publish", "catalog_shared", "--origin", HUB, "--target", A, "--catalog", "more")
    runs = await asyncio.gather(*(natster.run(*share) for _ in range(3)))
    assert sorted(ended.code for ended in runs) == [0, 1, 1]
    for ended in runs:
        if ended.code:
            assert "another writer" in ended.sentence or "already" in ended.sentence
    assert (await imported.refresh()).last_seq == 11


# -- export and import -----------------------------------------------------------------------


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_what_is_exported_and_imported_elsewhere_is_the_same_log(
    natster: Program, anywhere: Program, server: Any, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.jsonl"
    subject = f"natster.events.{A}.none.none.natster_initialized"
    time = "2026-11-23T03:13:15.770778175Z"
    payloads: list[dict[str, Any]] = [
        {"payload": '{"account_name":"Zoë \\u001b[31m"}', "headers": {}},
        {"payload_base64": base64.b64encode(bytes(range(256))).decode(), "headers": {}},
        {"payload": "", "headers": {"More": ["one", "two"], "Nats-Msg-Id": "of its own"}},
        {"payload": "null", "headers": {"Natster-Occurred-At": "2001-02-03T04:05:06Z"}},
        {"payload": "null", "headers": {"Natster-Occurred-At": "yesterday"}},
        {
            "payload": "null",
            "headers": {
                "Nats-Expected-Last-Sequence": "77",
                "Nats-Rollup": "all",
                "nats-ttl": "1s",
            },
        },
    ]
    odd.write_text(
        "".join(
            json.dumps({"seq": seq, "time": time, "subject": subject, **rest}) + "\n"
            for seq, rest in enumerate(payloads, 1)
        )
    )
    ended = await natster.run("import", "--create-log", str(odd))
    assert ended.sentence == (
        "left out 2 headers that a server would act on: Nats-Rollup, nats-ttl"
    )
    first = await natster.succeed("export", "--open")
    other = anywhere.on(server.new_account())
    ended = await other.succeed("import", "--create-log", "-", given=first.out)
    assert ended.lines == ["imported 6 events into NATSTER_EVENTS, 0 were there already"]
    second = await other.succeed("export", "--open")
    here, there = lines_of(first.out), lines_of(second.out)
    for one, two in zip(here, there, strict=True):
        assert one.pop("time") != two.pop("time"), "the stream's own; the event's is a header"
        assert one == two
    assert [line["headers"]["Natster-Occurred-At"] for line in here] == [
        time, time, time, "2001-02-03T04:05:06Z", time, time
    ]  # fmt: skip
    assert here[2]["headers"]["More"] == ["one", "two"]
    assert here[2]["headers"]["Nats-Msg-Id"] == "of its own"
    assert base64.b64decode(here[1]["payload_base64"]) == bytes(range(256))
    assert not {"Nats-Rollup", "nats-ttl"} & {*here[5]["headers"]}


async def test_an_import_that_is_repeated_appends_nothing(
    natster: Program, imported: EventLog
) -> None:
    exported = await natster.succeed("export", "--since", "8")
    assert [line["seq"] for line in lines_of(exported.out)] == [8, 9, 10]
    assert [sorted(line) for line in lines_of(exported.out)] == [
        ["headers", "payload", "seq", "subject", "time"]
    ] * 3
    ended = await natster.succeed("import", "-", given=exported.out)
    assert ended.lines == ["imported 0 events into NATSTER_EVENTS, 3 were there already"]
    ended = await natster.succeed("import", "-", "--json", given=exported.out)
    assert ended.json == {
        "imported": 0, "present": 3, "renamed": 0, "erased": 0, "markers": 0,
        "headers_left_out": 0, "keys": 0, "erasures": 0,
    }  # fmt: skip
    assert (await imported.refresh()).last_seq == 10


async def test_only_events_are_imported_never_requests_to_the_server(
    natster: Program, imported: EventLog, settings: ConnectionSettings, tmp_path: Path
) -> None:
    before = await everything(settings)
    evil = tmp_path / "evil.jsonl"
    line = encode_line(recording("01")[0])
    deletes = "$JS.API.STREAM.DELETE.NATSTER_EVENTS"
    bad = {"seq": 2, "time": "2026-11-23T03:13:15Z", "subject": deletes, "payload": ""}
    evil.write_text(f"{line}\n{json.dumps(bad)}\n")
    sentence = await natster.fail(2, "import", str(evil))
    assert sentence.startswith("line 2 of evil.jsonl is not an event")
    assert await everything(settings) == before


async def test_an_export_can_be_cut_short_by_its_reader(
    natster: Program, imported: EventLog
) -> None:
    process = await natster.start("export")
    assert process.stdout is not None
    process.stdout._transport.close()  # type: ignore[attr-defined]
    assert process.stderr is not None
    assert await process.stderr.read() == b""
    assert await process.wait() == 0


# -- the options that all commands share -------------------------------------------------------


async def test_options_count_before_and_after_the_command_and_the_nearer_one_wins(
    anywhere: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    user, password = settings.user or "", revealed(settings.password) or ""
    who = ("--user", user, "--password", password)
    before, after, both = await together(
        anywhere.succeed("--server", settings.servers[0], *who, "status", "--json"),
        anywhere.succeed("status", "--json", "--server", settings.servers[0], *who),
        anywhere.succeed("--server", "127.0.0.1:1", *who, "--stream", "OTHER", "status", "--json",
                         "--server", settings.servers[0], "--stream", "NATSTER_EVENTS"),
    )  # fmt: skip
    assert before.json == after.json == both.json
    assert before.json["log"]["head"] == 10


async def test_the_server_is_found_in_the_nats_tools_environment_and_context(
    anywhere: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    named = {
        "url": settings.servers[0],
        "user": settings.user,
        "password": revealed(settings.password),
    }
    contexts = anywhere.home / "config" / "nats"
    (contexts / "context").mkdir(parents=True)
    (contexts / "context" / "mine.json").write_text(json.dumps(named))
    (contexts / "context.txt").write_text("mine")
    by_variables = anywhere.with_variables(
        {
            "NATS_URL": settings.servers[0],
            "NATS_USER": settings.user or "",
            "NATS_PASSWORD": revealed(settings.password) or "",
        }
    )
    runs = await together(
        by_variables.succeed("status", "--json"),
        anywhere.succeed("status", "--json"),
        by_variables.with_variables({"NATS_URL": "127.0.0.1:1"}).succeed(
            "status", "--json", "--server", settings.servers[0]
        ),
    )
    assert all(ended.json == runs[0].json for ended in runs)


async def test_read_only_reads_everything_and_writes_nothing(
    natster: Program, projected: EventLog, settings: ConnectionSettings
) -> None:
    await publish(settings, f"natster.events.{A}.{HUB}.kevbuzz.catalog_shared")
    before, streams = await everything(settings), await stream_names(settings)
    reading = natster.with_options("--read-only")
    _, shown, _ = await together(
        reading.succeed("status"),
        reading.succeed("show", "catalog", "kevbuzz", "--json"),
        natster.succeed("rebuild", "--dry-run", "--read-only"),
    )
    assert shown.json["document"]["shared_with"] == [B, HUB], "as the log says, not as stored"
    share = ("publish", "catalog_shared", "--origin", HUB, "--target", A, "--catalog", "more")
    sentences = await together(
        reading.fail(1, "project", "--once"),
        reading.fail(1, "rebuild", "--yes"),
        reading.fail(1, *share),
        reading.fail(1, "import", STANDARD),
        reading.fail(2, "status", "--create-log"),
    )
    assert all("--read-only" in sentence for sentence in sentences)
    assert await everything(settings) == before
    assert await stream_names(settings) == streams


async def test_another_stream_can_be_the_log(
    natster: Program, settings: ConnectionSettings
) -> None:
    other = natster.with_options("--stream", "OTHER_LOG")
    ended = await other.succeed("import", "--create-log", STANDARD)
    assert ended.lines == ["imported 10 events into OTHER_LOG, 0 were there already"]
    await other.succeed("project", "--once")
    checkpoint = json.loads((await stored_values(settings, "PROJ_ACCOUNT"))["_checkpoint"])
    assert checkpoint["log"]["stream"] == "OTHER_LOG"
    assert "NATSTER_EVENTS" not in await everything(settings)
    assert "NATSTER_EVENTS" in await natster.fail(3, "status")


async def test_a_log_is_created_with_the_default_settings_unless_options_change_them(
    natster: Program, anywhere: Program, settings: ConnectionSettings, server: Any
) -> None:
    elsewhere = server.new_account()
    told = [
        f"--log-setting={pair}"
        for pair in (
            "max_bytes=1000000",
            "discard=old",
            "deny_delete=false",
            "deny_purge=false",
            "allow_direct=false",
            "duplicate_window_s=60",
            "replicas=1",
        )
    ]
    await together(
        natster.succeed("status", "--create-log", "--sealing", "off"),
        anywhere.on(elsewhere).succeed(*told, "--create-log", "status"),
    )
    made = (await everything(settings))["NATSTER_EVENTS"]["config"]
    assert made["subjects"] == ["natster.events.*.*.*.*"]
    assert (made["storage"], made["retention"], made["discard"]) == ("file", "limits", "new")
    assert made["deny_delete"]
    assert made["deny_purge"]
    assert made["allow_direct"]
    assert made["duplicate_window"] == 120 * 10**9
    assert (made["num_replicas"], made["max_bytes"]) == (1, 1024**3)
    assert made["metadata"]["natster-sealing"] == "off"
    set_otherwise = (await everything(elsewhere))["NATSTER_EVENTS"]["config"]
    assert not set_otherwise["deny_delete"]
    assert not set_otherwise["deny_purge"]
    assert not set_otherwise["allow_direct"]
    assert (set_otherwise["discard"], set_otherwise["max_bytes"]) == ("old", 1_000_000)
    assert set_otherwise["duplicate_window"] == 60 * 10**9


async def test_a_log_that_exists_is_adopted_as_it_is(
    natster: Program, imported: EventLog, settings: ConnectionSettings
) -> None:
    before = await everything(settings)
    size, window = ("--log-setting", "max_bytes=5000000"), ("--log-setting", "duplicate_window_s=9")
    held = [("--log-setting", pair) for pair in ("discard=new", "duplicate_window_s=120")]
    one, several, *silent = await together(
        natster.run("status", "--create-log", *size),
        natster.run("status", *window, *size),
        natster.succeed("status", "--create-log"),
        natster.succeed("status", "--create-log", *held[0], *held[1]),
    )
    assert [each.code for each in (one, several)] == [0, 0]
    exists = "the log NATSTER_EVENTS exists and is used as it is"
    assert one.sentence == f"{exists}: max_bytes of --log-setting is not applied"
    assert several.sentence == (
        f"{exists}: duplicate_window_s, max_bytes of --log-setting are not applied"
    )
    assert [each.said for each in silent] == ["", ""]
    assert await everything(settings) == before
