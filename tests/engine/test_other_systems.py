"""The engine on the log of a system other than Natster: other stream, subjects and kinds."""

from __future__ import annotations

import json

import pytest

from natster_tui.engine.history.document_history import key_history
from natster_tui.engine.log.export_events import export_lines
from natster_tui.engine.log.import_file import ImportFile
from natster_tui.engine.rebuilding.preflight import read_preflight
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import UsageError
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.filter.language import filter_language
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.depot import DEPOT, DepotType, StockProjection
from tests.engine.running import project_to_head
from tests.reading_buckets import stored_documents

STOCK = StockProjection()
STORY = [
    (DepotType.STORED, "north", "nails"),
    (DepotType.STORED, "south", "nails"),
    (DepotType.STORED, "south", "rope"),
    (DepotType.TAKEN, "south", "nails"),
]
EXPECTED = {"nails": {"count": 1, "last": "south"}, "rope": {"count": 1, "last": "south"}}


async def depot(link: Link) -> EventLog:
    """The depots' log, with the story in it."""
    log = await EventLog.create(link, DEPOT, LogSettings())
    messages = [
        Append(DEPOT.subject_of(kind, origin, catalog=item), b"", ((MESSAGE_ID, f"d-{number}"),))
        for number, (kind, origin, item) in enumerate(STORY)
    ]
    assert await log.append_all(messages, expected_last=None) == len(STORY)
    return log


async def test_it_is_projected_rebuilt_and_explained(
    link: Link, settings: ConnectionSettings
) -> None:
    log = await depot(link)
    await project_to_head(log, STOCK)
    assert await stored_documents(settings, STOCK.bucket) == EXPECTED
    assert (await read_preflight(log, [STOCK], "test")).by_type == {
        "stored": 3,
        "taken": 1,
        "other": 0,
    }
    rebuild = Rebuild(log, WholeProjections((STOCK,)), "test")
    (plan,) = await rebuild.prepare()
    assert not plan.diff.changes
    history = await key_history(log, STOCK, "nails", 4, "test")
    assert history.document is not None
    assert json.loads(history.document) == EXPECTED["nails"]
    assert [change.record.seq for change in history.changes] == [1, 2, 4]


async def test_its_events_are_filtered_by_its_own_kinds(link: Link) -> None:
    log = await depot(link)
    wanted = filter_language(DEPOT).parse("type:stored catalog:nails from:south", 0)
    passing = [
        record.seq
        async for batch in log.records(1, 4, purpose="test", instance="test")
        for record in batch
        if wanted.passes(record, lambda key: key, lambda _event: "")
    ]
    assert passing == [2]
    assert filter_language(DEPOT).parse("type:taken", 0).subject_filter == ""


async def test_its_events_are_exported_and_imported_under_its_own_subjects(link: Link) -> None:
    log = await depot(link)
    lines = [f"{line}\n".encode() async for line in export_lines(log, 1, "test")]
    assert len(list(ImportFile.of_lines(lambda: lines, "file", DEPOT).events)) == len(STORY)
    with pytest.raises(UsageError, match="its subject is not one of natster"):
        ImportFile.of_lines(lambda: lines, "file", NATSTER)
