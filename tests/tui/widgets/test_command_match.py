"""The palette finds the command that one means first."""

from __future__ import annotations

import pytest

from natster_tui.tui.keys.keymap import AS_DECLARED
from natster_tui.tui.keys.main_screen import commands
from natster_tui.tui.widgets.command_match import Rank, matched, rank


def _best(typed: str) -> str:
    known = [key for key in commands().values() if key.help and key.in_palette]
    return max(
        known,
        key=lambda key: rank(typed, key.label, key.help, AS_DECLARED.all_shown(key).split(" ")),
    ).label


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("verify", "verify"),
        ("ver", "verify"),
        ("versions", "versions"),
        ("v", "verify"),
        ("V", "versions"),
        ("rebuild", "rebuild"),
        ("reb", "rebuild"),
        ("go to", "go to"),
        ("goto", "go to"),
        ("catalogs", "catalogs"),
        ("light", "theme"),
        ("duplicate", "community"),
        ("sealed", "keys"),
        ("hazards", "problems"),
        ("head", "follow"),
        ("secrets", "reveal"),
        ("json lines", "export"),
        ("rbld", "rebuild"),
    ],
)
def test_what_is_typed_finds_the_obvious_command_first(typed: str, label: str) -> None:
    assert _best(typed) == label


def test_letters_scattered_over_a_sentence_match_nothing() -> None:
    said = "Compare what is stored with the log"
    assert rank("cwl", "verify", said) is Rank.NOTHING
    assert rank("", "verify", said) is Rank.NOTHING


def test_matches_are_highlighted_at_the_beginning_of_words() -> None:
    text = "versions: Compare the stored version"
    assert [text[start:end] for start, end in matched("stored VER", text)] == ["stored", "ver"]
    assert matched("ored", text) == [(24, 28)]
    assert matched("x", "Compare") == []
