"""Commands that look at the whole log's documents: list, diff and check-name."""

from __future__ import annotations

import pytest

from natster_tui.engine.log.import_events import import_records
from natster_tui.store.log import Append, EventLog
from tests.cli.program import Program, together
from tests.conftest import recording

HUB = "AC5V4OC2POUAX4W4H7CKN5TQ5AKVJJ4AJ7XZKNER6P6DHKBYGVGJHSNC"
A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
B = "AA33U5HNMJFHIX63KYLTK3J3MMPWQHBUMYDYQQGDS5O3WNCL5GDFQ462"


@pytest.fixture
async def imported(log: EventLog) -> EventLog:
    """The log with the standard recording, and a second account that shares kevbuzz."""
    await import_records(log, recording("01"), "t")
    twin = Append(f"natster.events.{B}.{HUB}.kevbuzz.catalog_shared", b"")
    await log.append_all([twin], expected_last=10)
    return log


async def test_accounts_and_catalogs_are_listed_by_name_with_counts(
    natster: Program, imported: EventLog
) -> None:
    accounts, one, catalogs, data, then, none = await together(
        natster.succeed("list", "accounts"),
        natster.succeed("list", "accounts", "n-acb4"),
        natster.succeed("list", "catalogs"),
        natster.succeed("list", "catalogs", "KEV", "--json"),
        natster.succeed("list", "accounts", "--at", "8", "--json"),
        natster.fail(1, "list", "catalogs", "nope"),
    )
    heading, *rows = accounts.lines
    assert heading.split() == ["NAME", "KEY", "SHARES", "HAS", "IMPORTED", "SINCE"]
    assert [row.split()[:5] for row in rows] == [
        ["n-AA33U5", B, "1", "2", "1"],
        ["n-AC5V4O", HUB, "2", "1", "0"],
        ["n-ACB4B3", A, "1", "1", "0"],
    ]
    assert len(one.lines) == 2
    assert catalogs.lines[1].split() == ["kevbuzz", "n-ACB4B3", A, "1", "1"]
    assert data.json == {
        "at": 11,
        "catalogs": [
            {
                "name": "kevbuzz",
                "owner": A,
                "owner_name": "n-ACB4B3",
                "shared_with": 1,
                "contested_by": 1,
            }
        ],
    }
    assert [each["imported"] for each in then.json["accounts"]] == [0, 0, 0]
    assert none == "there are no catalogs like nope as of 11"


async def test_status_names_what_is_contested(natster: Program, imported: EventLog) -> None:
    assert "contested" not in (await natster.succeed("status")).out
    await natster.succeed("project", "--once")
    told, data = await together(natster.succeed("status"), natster.succeed("status", "--json"))
    assert "contested   1 catalog name: kevbuzz" in told.lines
    assert data.json["contested_names"] == ["kevbuzz"]


async def test_two_moments_of_a_document_are_compared_field_by_field(
    natster: Program, imported: EventLog
) -> None:
    changed, same, made, data, never = await together(
        natster.succeed("diff", "account", "n-ACB4B3", "--from", "8"),
        natster.succeed("diff", "account", A, "--from", "9", "--to", "9"),
        natster.succeed("diff", "catalog", "kevbuzz", "--from", "8", "--to", "9"),
        natster.succeed("diff", "account", A[:8], "--from", "9", "--json"),
        natster.fail(1, "diff", "catalog", "nope", "--from", "1"),
    )
    assert changed.lines[0] == "account n-ACB4B3 (ACB4…GDT) from 8 to 11"
    assert any(line.startswith("    + out_shares[kevbuzz n-AA33U5") for line in changed.lines[1:])
    assert same.lines == ["account n-ACB4B3 (ACB4…GDT) is the same as of 9 and as of 9"]
    assert made.lines[1] == "    it did not exist as of 8"
    assert (data.json["key"], data.json["from"], data.json["to"]) == (A, 9, 11)
    assert any("imported_at" in field for field in data.json["fields"])
    assert never == "there is no catalog nope as of 1 or 11"


async def test_a_name_is_free_or_taken_by_an_account_that_is_named(
    natster: Program, imported: EventLog
) -> None:
    free, taken, case, data, bad = await together(
        natster.succeed("check-name", "tour-diaries"),
        natster.run("check-name", "kevbuzz"),
        natster.run("check-name", "KevBuzz"),
        natster.run("check-name", "KevBuzz", "--json"),
        natster.fail(2, "check-name", "_mine"),
    )
    assert free.out == "tour-diaries is free\n"
    assert (taken.code, case.code, data.code) == (1, 1, 1)
    owned = "kevbuzz is taken: n-ACB4B3 (ACB4…GDT) owns it"
    also = "; also used by n-AA33U5 (AA33…462)"
    assert taken.lines == [owned + also]
    assert case.lines == [f"{owned}, and KevBuzz differs from it in letter case only{also}"]
    assert (data.json["free"], data.json["taken"][0]["owner"]) == (False, A)
    assert "_mine cannot be a catalog's name" in bad
