"""What of a document is shown: all of a small one, the beginning of a hub's."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from natster_tui.events.event import Record
from natster_tui.projections.excerpt import excerpt_of
from natster_tui.projections.fold import Fold
from natster_tui.projections.projection_sentences import OmittedEntries, payload_lines, pretty_json
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from tests.folding import fold_all
from tests.making_logs import logs, records_of, shared

SHARES = 130


def hub() -> dict[str, Fold[Any]]:
    events = [shared("HUB", f"M{number:03}", "hub") for number in range(SHARES)]
    rivals = [shared(f"R{number:03}", "AA", "hub") for number in range(60)]
    records = records_of(*events, *rivals)
    return {each.name: fold_all(each, records) for each in PROJECTIONS}


@settings(max_examples=40)
@given(records=logs(max_size=25))
def test_a_small_document_is_shown_whole(records: list[Record]) -> None:
    for projection in PROJECTIONS:
        fold: Fold[Any] = fold_all(projection, records)
        for key, state in fold.states.items():
            excerpt = excerpt_of(projection, key, state, 50)
            assert excerpt.document == projection.whole(key, state)
            assert excerpt.size == f"{len(projection.encode(key, state)):,} bytes"


def test_of_a_hubs_document_the_beginning_is_shown_and_how_much_is_missing() -> None:
    folds = hub()
    whole = ACCOUNTS.whole("HUB", folds["account"].states["HUB"])
    excerpt = excerpt_of(ACCOUNTS, "HUB", folds["account"].states["HUB"], 50)
    assert list(excerpt.document) == list(whole)
    assert excerpt.document["out_shares"] == [*whole["out_shares"][:50], OmittedEntries(80)]
    assert excerpt.document["in_shares"] == []
    assert excerpt.size == "130 entries"
    shown = pretty_json(excerpt.document)
    assert '"account": "M049"' in shown
    assert "M050" not in shown
    assert "    … 80 more entries; y copies all of them\n  ]" in shown


def test_a_list_that_is_never_paged_is_cut_for_the_screen_as_well() -> None:
    excerpt = excerpt_of(CATALOGS, "hub", hub()["catalog"].states["hub"], 50)
    assert excerpt.document["shared_with"][50:] == [OmittedEntries(80)]
    assert excerpt.document["contested_by"][50:] == [OmittedEntries(10)]
    assert excerpt.size == "190 entries"


def test_a_very_large_payload_is_shown_as_its_size() -> None:
    (record,) = records_of(shared("AA", "BB", payload=b'"' + b"a" * 70_000 + b'"'))
    assert payload_lines(record) == ["(70,002 bytes, too many to show here; y copies them)"]
