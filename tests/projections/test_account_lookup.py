from __future__ import annotations

import pytest

from natster_tui.projections.account_lookup import matching_accounts

A, B, C = "AAEOX7VJM", "ABIJINGB5", "AANOING5L"
NAMES = {
    A: "Natster Hub",
    B: "Inga Moss",
    C: "Ingrid Solbakken",
    "ACQN": "inga moss",
    "AD": "Straße",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (A, [A]),
        ("aaeo…vjm", [A]),
        ("natster hub", [A]),
        ("INGA MOSS", [B, "ACQN"]),
        ("aa", [A, C]),
        ("hub", [A]),
        ("ing", [B, C, "ACQN"]),
        (" ingrid ", [C]),
        ("STRASSE", ["AD"]),
        ("no such name", []),
        ("", []),
        ("…", [*NAMES]),
    ],
)
def test_the_best_way_in_which_a_text_means_any_account_counts(
    text: str, expected: list[str]
) -> None:
    assert matching_accounts(text, NAMES) == expected
