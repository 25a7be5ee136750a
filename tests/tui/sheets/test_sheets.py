"""The sheets that the inspector shows, without a screen."""

from __future__ import annotations

from natster_tui.engine.history.document_story import DocumentStory, Share
from natster_tui.engine.log.record_parser import ParsedRecord
from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.events.parking import ParkReason
from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.tui.places.place import DocumentPlace
from natster_tui.tui.sheets.account_sheet import account_sheet
from natster_tui.tui.sheets.catalog_sheet import catalog_sheet
from natster_tui.tui.sheets.document_sheet import document_sheet
from natster_tui.tui.sheets.event_sheet import absent_event_sheet, change_sheet, event_sheet
from natster_tui.tui.sheets.layout import BESIDE_FROM, laid_out
from natster_tui.tui.sheets.shares import History
from natster_tui.tui.sheets.sheet import Formatter, Sheet, Table, Tone
from natster_tui.tui.theme import UNICODE
from tests.folding import fold_all
from tests.tui.panes.activity import ActivityProjection

DAY_NS = 86_400 * 10**9
BOUND = (
    b'{"oauth_id":"github|aaa","bound_context":{"access_token":"hunter2-and-more","user_id":"7"}}'
)
RECORDS = [
    Record(1, DAY_NS, "natster.events.ANNA.none.none.natster_initialized", b'{"account_name":"A"}'),
    Record(2, DAY_NS, "natster.events.ANNA.BERT.songs.catalog_shared"),
    Record(3, DAY_NS, "natster.events.BERT.ANNA.songs.catalog_imported"),
    Record(4, DAY_NS, "natster.events.ANNA.none.none.context_bound", BOUND),
]
ACCOUNT_FOLD, CATALOG_FOLD = fold_all(ACCOUNTS, RECORDS), fold_all(CATALOGS, RECORDS)
UNREAD = History(None, 4)
MANNER = Formatter(Names(ACCOUNT_FOLD.states), 3 * 86_400.0)


def lines_of(sheet: Sheet) -> list[str]:
    return [f"{line.label} {line.text}".strip() for line in sheet.lines]


def test_an_event_says_who_did_what_with_which_catalog() -> None:
    sheet = event_sheet(ParsedRecord(RECORDS[1], NATSTER), None, MANNER)
    assert sheet.title == "Event 2"
    assert lines_of(sheet)[:4] == ["what shared", "origin A  ANNA", "target BERT", "catalog songs"]
    assert [section.name for section in sheet.sections] == ["event", "message"]


def test_secrets_of_a_payload_stand_in_a_sheet_only_when_revealed() -> None:
    masked = "\n".join(lines_of(event_sheet(ParsedRecord(RECORDS[3], NATSTER), None, MANNER)))
    assert "hunter2" not in masked
    assert "••••" in masked
    revealing = Formatter(MANNER.names, MANNER.now, reveal=True)
    assert "hunter2-and-more" in "\n".join(
        lines_of(event_sheet(ParsedRecord(RECORDS[3], NATSTER), None, revealing))
    )


def test_a_parked_event_says_why_and_what_it_would_take() -> None:
    record = Record(5, DAY_NS, "natster.events.ANNA.none.none.no_such_thing")
    assert isinstance(NATSTER.read(record), ParkReason)
    first, second, *_ = event_sheet(ParsedRecord(record, NATSTER), None, MANNER).lines
    assert (first.label, first.tone, second.label) == ("parked", Tone.BAD, "needed")
    assert first.text.startswith("unknown type: ")


def test_an_event_that_is_not_loaded_is_not_called_deleted() -> None:
    assert lines_of(absent_event_sheet(7, deleted=True)) == ["it was deleted from the log"]
    assert lines_of(absent_event_sheet(7, deleted=False)) == ["not loaded yet …"]


def test_a_change_is_unknown_failed_or_nothing() -> None:
    assert "reading" in lines_of(change_sheet(2, None, MANNER))[0]
    assert lines_of(change_sheet(2, "not connected", MANNER)) == ["not connected"]
    assert "parked" in lines_of(change_sheet(2, [], MANNER))[0]


def test_an_account_says_since_when_it_is_there_and_bound() -> None:
    sheet = account_sheet("ANNA", ACCOUNT_FOLD, MANNER, UNREAD, is_hub=True)
    assert sheet.title == "Account A"
    lines = lines_of(sheet)
    assert any(line.startswith("joined ") and line.endswith("(2d ago)") for line in lines)
    assert "web login github|aaa" in lines
    assert any(line.startswith("bound ") and line.endswith("ago)") for line in lines)
    assert any(line.startswith("hub ") for line in lines)
    assert "nothing is shared with it" in lines
    assert "hunter2" not in sheet.text


def test_an_account_lists_its_shares_and_every_name_in_them_is_a_link() -> None:
    sheet = account_sheet("BERT", ACCOUNT_FOLD, MANNER, UNREAD, is_hub=False)
    table = next(item for item in sheet.items if isinstance(item, Table))
    assert [column.heading for column in table.columns] == [
        "1 shared with it", "by", "shared at", "imported at"
    ]  # fmt: skip
    catalog, by, shared, imported = table.spans(table.rows[0])
    assert (catalog.text, catalog.place) == ("songs", DocumentPlace("catalog", "songs"))
    assert (by.text, by.place) == ("A", DocumentPlace("account", "ANNA"))
    assert shared.text == "reading …"
    assert imported.text == "01-02 00:00"


def test_a_catalog_says_with_whom_it_is_shared_and_who_imported_it() -> None:
    sheet = catalog_sheet(
        "songs",
        CATALOG_FOLD,
        MANNER,
        UNREAD,
        twins=["Songs"],
        accounts=ACCOUNT_FOLD.states,
        share=Share("ANNA", "BERT", "songs"),
    )
    lines = lines_of(sheet)
    assert lines[:5] == [
        "this share A → BERT",
        "shared at reading …",
        "imported at 01-02 00:00",
        "owner A  ANNA",
        "looks like Songs differs in letter case only: importers confuse them",
    ]
    assert lines[5].startswith("shared with 1 account")
    assert lines[6].startswith("BERT  reading …")


def test_a_document_of_any_projection_has_a_page() -> None:
    fold = fold_all(ActivityProjection(), RECORDS)
    sheet = document_sheet("ANNA", fold, MANNER, UNREAD, ACCOUNT_FOLD.states, CATALOG_FOLD.states)
    assert sheet.title == "Account A"
    assert lines_of(sheet)[:3] == ["account ANNA", "first seen 86,400", "events 3"]
    unknown = document_sheet("NEMO", fold, MANNER, UNREAD, {}, {})
    assert lines_of(unknown)[1] == "there is none as of 4"


def test_a_page_is_titled_with_the_whole_name_of_a_catalog() -> None:
    name = "a-catalog-of-many-songs"
    fold = fold_all(ActivityProjection(), [])
    catalogs = {name: CATALOG_FOLD.states["songs"]}
    sheet = document_sheet(name, fold, MANNER, UNREAD, {}, catalogs)
    assert sheet.title == f"Account {name}"


def test_a_history_shows_directions_and_is_beside_the_page_if_there_is_room() -> None:
    story = DocumentStory(ACCOUNTS, "ANNA")
    for record in RECORDS:
        story.add(record, NATSTER.read(record))
    sheet = account_sheet("ANNA", ACCOUNT_FOLD, MANNER, History(story, 4), is_hub=False)
    lines = lines_of(sheet)
    assert any("shared  → BERT  songs" in line for line in lines)
    assert any("imported  → BERT  songs" in line for line in lines)

    def wrapped(text: str, width: int) -> list[str]:
        return [text[at : at + width] for at in range(0, len(text), width)] or [""]

    below = laid_out(sheet, BESIDE_FROM - 1, UNICODE, wrapped)
    beside = laid_out(sheet, BESIDE_FROM, UNICODE, wrapped)
    assert beside.height < below.height
    assert [piece.text.strip() for piece in beside.pieces(0)][:2] == ["key", "ANNA"]
    assert "4 changes" in [piece.text.strip() for piece in beside.pieces(0)]
    assert list(beside.lines_with("bert", 100))
    named = {piece.target for y in range(below.height) for piece in below.links(y)}
    assert named == {piece.target for y in range(beside.height) for piece in beside.links(y)}
