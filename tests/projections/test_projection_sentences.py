"""Changes of documents, and names, in words."""

from __future__ import annotations

import pytest

from natster_tui.events.event import Event
from natster_tui.events.natster import NATSTER
from natster_tui.projections.account import CONTEXT_FIELDS, AccountState
from natster_tui.projections.diff import FieldChange
from natster_tui.projections.projection_sentences import (
    Names,
    change_line,
    event_phrase,
    homonyms_of,
)
from tests.making_logs import bound, context, records_of

AT = 1_795_403_597


@pytest.mark.parametrize("field", ["initialized_at", "in_shares[x AA].imported_at", "first_seen"])
def test_a_changed_time_is_shown_as_a_time_in_documents_of_any_projection(field: str) -> None:
    line = change_line(FieldChange(field, AT, AT + 1))
    assert line == f"~ {field} 2026-11-23 03:13:17 → 2026-11-23 03:13:18"


def test_a_field_that_holds_no_time_yet_shows_none() -> None:
    assert change_line(FieldChange("initialized_at", 0, AT)).startswith("~ initialized_at 0 → 2026")


def test_what_was_removed_is_shown_with_times_and_not_with_unix_seconds() -> None:
    share = {"catalog": "kevbuzz", "account": "AA", "imported_at": AT}
    line = change_line(FieldChange("out_shares[kevbuzz AA]", share, None))
    assert line == "- out_shares[kevbuzz AA] imported 2026-11-23 03:13:17"
    visit = {"count": 2, "seen": [{"first_seen": AT}]}
    line = change_line(FieldChange("visits", visit, None))
    assert line == '- visits {"count": 2, "seen": [{"first_seen": "2026-11-23 03:13:17"}]}'


def test_a_name_that_several_accounts_have_is_shown_with_the_short_key() -> None:
    named = {"AAAA": "Straße", "BBBB": "STRASSE", "CCCC": "Solbakken"}
    accounts = {key: AccountState(account_name=name) for key, name in named.items()}
    names = Names(accounts, homonyms_of(accounts))
    assert [names.of(key) for key in accounts] == ["Straße AAAA", "STRASSE BBBB", "Solbakken"]


@pytest.mark.parametrize(
    ("oauth_id", "login"), [("github|aaa", "→ web github"), ("\x1b[2J|a", "→ web ␛[2J")]
)
def test_a_bound_event_says_who_vouches_for_the_login(oauth_id: str, login: str) -> None:
    payload = context(oauth_id, **dict.fromkeys(CONTEXT_FIELDS, "x"))
    (record,) = records_of(bound("AAAA", payload))
    event = NATSTER.read(record)
    assert isinstance(event, Event)
    assert event_phrase(event, Names({})) == ("AAAA", login, "")
