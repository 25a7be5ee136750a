"""Every recording of the original service, imported and projected on a real server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.log.import_events import import_records
from natster_tui.events.times import format_timestamp
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import RECORDINGS, recording
from tests.folding import fold_all
from tests.reading_buckets import stored_documents, stored_values

NAMES = sorted(path.name.split(".")[0] for path in RECORDINGS.glob("*.events.jsonl"))


@pytest.mark.parametrize("name", NAMES)
async def test_import_and_project_store_what_the_design_says(
    name: str, log: EventLog, settings: ConnectionSettings
) -> None:
    records = recording(name)
    result = await import_records(log, records, "test")
    assert (result.appended, result.present) == (len(records), 0)
    await project_until_caught_up(log, PROJECTIONS, "test")
    for projection in PROJECTIONS:
        expected = fold_all(projection, records)
        values = await stored_values(settings, projection.bucket)
        checkpoint = json.loads(values.pop("_checkpoint"))
        assert values == expected.documents()
        assert checkpoint["seq"] == len(records)
        assert checkpoint["parked"]["count"] == expected.parked.count
        last = await log.record_at(len(records))
        assert last is not None
        assert checkpoint["log"] == {
            "stream": log.stream,
            "created": log.info.created,
            "time": format_timestamp(last.time_ns),
        }


def _without_our_own(value: Any) -> Any:
    """A document without the fields that differ in every document."""
    ours = ("initialized_at", "account_name", "imported_at", "bound_at")
    match value:
        case dict():
            return {
                name: _without_our_own(item) for name, item in value.items() if name not in ours
            }
        case list():
            return [_without_our_own(item) for item in value]
        case _:
            return value


@pytest.mark.parametrize("name", ["01", "03", "06"])
def test_where_no_difference_applies_documents_equal_the_references(name: str) -> None:
    records = recording(name)
    path = next(RECORDINGS.glob(f"{name}*.reference.json"))
    reference = json.loads(path.read_text())["documents"]
    accounts = fold_all(ACCOUNTS, records).documents()
    assert accounts.keys() == reference["PROJ_ACCOUNT"].keys()
    for key, document in accounts.items():
        # Compared as text, because the order of names counts too.
        ours = json.dumps(_without_our_own(json.loads(document)))
        theirs = json.dumps(_without_our_own(reference["PROJ_ACCOUNT"][key]))
        assert ours == theirs


async def test_repeating_an_import_appends_nothing(log: EventLog) -> None:
    records = recording("01")
    await import_records(log, records, "test")
    again = await import_records(log, records, "test")
    assert (again.appended, again.present) == (0, len(records))
    assert (await log.refresh()).last_seq == len(records)


async def test_documents_read_with_a_plain_client(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await import_records(log, recording("01"), "test")
    await project_until_caught_up(log, PROJECTIONS, "test")
    catalogs = await stored_documents(settings, "PROJ_CATALOG")
    a, b = (
        "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT",
        "AA33U5HNMJFHIX63KYLTK3J3MMPWQHBUMYDYQQGDS5O3WNCL5GDFQ462",
    )
    assert catalogs["kevbuzz"] == {"catalog_name": "kevbuzz", "owner": a, "shared_with": [b]}
