"""What must be confirmed before a rebuild writes."""

from __future__ import annotations

import pytest

from natster_tui.engine.rebuilding.confirming import (
    Answer,
    Confirm,
    Consent,
    Decision,
    EndsBeforeEvent,
    Findings,
    HistoryIsIncomplete,
    Refusal,
    Refuse,
    RemovesFirst,
    Request,
    TakesOver,
    decide,
)
from natster_tui.engine.rebuilding.rebuild_sentences import refusal, risk_sentence
from natster_tui.errors import RefusedError, UnopenedEventError

LOST = HistoryIsIncomplete(2)
BLOCKED = EndsBeforeEvent("account", UnopenedEventError("stopped before event 7: no key k1", 7))
THEIRS = TakesOver(("PROJ_ACCOUNT",))
REMOVED = RemovesFirst(3)

ASKED = Request()
SCRIPT = Request(can_ask=False)
CHANGES = Findings(changes=4, stored=3)

TABLE: dict[str, tuple[Request, Findings, Decision]] = {
    "nothing differs": (ASKED, Findings(stored=3), Confirm(Answer.NONE, (), Consent())),
    "something differs": (ASKED, CHANGES, Confirm(Answer.YES, (), Consent())),
    "purge": (
        Request(purge=True),
        CHANGES,
        Confirm(Answer.NAMES, (REMOVED,), Consent(purge=True)),
    ),
    "purge where nothing differs": (
        Request(purge=True),
        Findings(stored=3),
        Confirm(Answer.NAMES, (REMOVED,), Consent(purge=True)),
    ),
    "lost history": (
        ASKED,
        Findings(lost=2),
        Confirm(Answer.NAMES, (LOST,), Consent()),
    ),
    "an event that does not open": (
        ASKED,
        Findings(blocked=(BLOCKED,)),
        Confirm(Answer.NAMES, (BLOCKED,), Consent(partial=True)),
    ),
    "another program's, taken over": (
        Request(take_over=True),
        Findings(foreign=("PROJ_ACCOUNT",)),
        Confirm(Answer.NAMES, (THEIRS,), Consent(take_over=True)),
    ),
    "another program's": (
        ASKED,
        Findings(foreign=("PROJ_ACCOUNT",)),
        Refuse(Refusal.NOT_ASKED_FOR, (THEIRS,)),
    ),
    "asked to take over what is ours": (
        Request(take_over=True),
        CHANGES,
        Confirm(Answer.YES, (), Consent()),
    ),
    "all at once": (
        Request(purge=True, take_over=True),
        Findings(2, (BLOCKED,), ("PROJ_ACCOUNT",), stored=3, changes=1),
        Confirm(Answer.NAMES, (LOST, BLOCKED, THEIRS, REMOVED), Consent(True, True, True)),
    ),
    "a script purges and takes over": (
        Request(purge=True, take_over=True, can_ask=False),
        Findings(foreign=("PROJ_ACCOUNT",), stored=3),
        Confirm(Answer.NAMES, (THEIRS, REMOVED), Consent(purge=True, take_over=True)),
    ),
    "a script on lost history": (
        SCRIPT,
        Findings(lost=2, changes=1),
        Refuse(Refusal.NEEDS_OPERATOR, (LOST,)),
    ),
    "a script on an event that does not open": (
        SCRIPT,
        Findings(blocked=(BLOCKED,)),
        Refuse(Refusal.NEEDS_OPERATOR, (BLOCKED,)),
    ),
    "read-only": (Request(read_only=True, purge=True), CHANGES, Refuse(Refusal.READ_ONLY)),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_is_confirmed_follows_from_what_is_known(case: str) -> None:
    request, found, expected = TABLE[case]
    assert decide(request, found) == expected


def test_each_risk_has_its_sentence() -> None:
    assert [risk_sentence(risk) for risk in (LOST, BLOCKED, THEIRS, REMOVED)] == [
        "the history is incomplete (2 events are missing): a rebuild would forget what they did",
        "stopped before event 7: no key k1; going on ends the projection before that event",
        "PROJ_ACCOUNT was written by another program: going on takes it over",
        "every stored document is removed first: 3 documents",
    ]


def test_a_refusal_is_an_error_of_its_kind() -> None:
    blocked = refusal(Refuse(Refusal.NEEDS_OPERATOR, (LOST, BLOCKED)))
    assert isinstance(blocked, UnopenedEventError)
    assert blocked.seq == 7
    assert "2 events are missing" in blocked.sentence
    assert "no key k1" in blocked.sentence
    theirs = refusal(Refuse(Refusal.NOT_ASKED_FOR, (THEIRS,)))
    assert isinstance(theirs, RefusedError)
    assert theirs.sentence == (
        "PROJ_ACCOUNT was written by another program: add --take-over to take it over"
    )
