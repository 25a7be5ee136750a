import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.text.safe_text import (
    MARKS_PER_CHARACTER,
    safe_block,
    safe_in_place,
    safe_text,
)

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

anything = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.text(
        st.sampled_from(
            "ab \t\r\n\x1b\x7f\x9b\u0301\u20dd\u202e\u200d\u2028\ud800\ue000é…‹›"
            "\u200cखक\u094dمی👩🏽❤\ufe0f1\u20e3"
        )
    ),
    st.binary(),
)
limits = st.integers(0, 60)


JOINED = re.compile(r"(?<=[^\x00-\u02ff])[\u200c\u200d](?=[^\x00-\u02ff])")
"""A joiner between two characters that are no Latin ones, and no joiners or ellipses."""


def assert_nothing_unseen(text: str, but: str = "") -> None:
    text = JOINED.sub("", text)
    assert [c for c in text if c not in but and unicodedata.category(c) in UNSEEN] == []


@given(anything, limits)
def test_the_result_has_nothing_unseen_in_it_and_is_bounded(value: str | bytes, limit: int) -> None:
    shown = safe_text(value, limit)
    assert_nothing_unseen(shown)
    assert len(shown) <= limit


@given(anything, limits)
def test_doing_it_twice_changes_nothing(value: str | bytes, limit: int) -> None:
    shown = safe_text(value, limit)
    assert safe_text(shown, limit) == shown
    assert safe_text(shown) == shown


@given(anything)
def test_no_character_carries_more_than_the_capped_number_of_marks(value: str | bytes) -> None:
    run = 0
    for position, char in enumerate(safe_text(value)):
        is_mark = unicodedata.category(char) in {"Mn", "Me"}
        assert not (is_mark and position == 0)
        run = run + 1 if is_mark else 0
        assert run <= MARKS_PER_CHARACTER


@given(anything, st.integers(1, 6), limits)
def test_a_block_keeps_only_newlines_and_is_bounded(
    value: str | bytes, max_lines: int, limit: int
) -> None:
    shown = safe_block(value, max_lines, limit)
    assert_nothing_unseen(shown, but="\n")
    assert len(shown) <= limit
    assert shown.count("\n") < max_lines
    assert safe_block(shown, max_lines, limit) == shown


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_text_stays_as_it_is(value: str) -> None:
    assert safe_text(value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("a\tb\nc\rd\0e", "a␉b␊c␍d␀e"),
        ("\x7f", "␡"),
        ("\x9b31m", "‹9B›31m"),
        ("abc\u202etxt.exe", "abc‹202E›txt.exe"),
        ("to\u200bken", "to‹200B›ken"),
        ("\u2028", "‹2028›"),
        ("\ud800", "‹D800›"),
        ("\ue000", "‹E000›"),
        ("a\u3164b", "a‹3164›b"),
        ("\u0301x", "‹301›x"),
        ("e\u0301te\u0301", "e\u0301te\u0301"),
        ("a" + "\u0301" * 10 + "b", "a\u0301\u0301\u0301‹+7›b"),
        ("Zoë 東京 🎵", "Zoë 東京 🎵"),
        ("to\u200dken", "to‹200D›ken"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("می\u200c\u200cخواهم", "می‹200C›‹200C›خواهم"),
        ("می\u200c", "می‹200C›"),
        ("क्\u200dष", "क्\u200dष"),
        ("क्\u200cष", "क्\u200cष"),
        ("क\u200dष", "क‹200D›ष"),
        ("ক্\u200dষ", "ক্\u200dষ"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("👩🏽\u200d🚀", "👩🏽\u200d🚀"),
        ("🏳\ufe0f\u200d🌈", "🏳\ufe0f\u200d🌈"),
        ("🎵\u200dx", "🎵‹200D›x"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("a\ufe0fb", "a‹FE0F›b"),
        ("a\ufe01b", "a‹FE01›b"),
        ("a\u034fb", "a‹34F›b"),
        ("a\U000e0100b", "a‹E0100›b"),
        ("[b]not markup[/b]", "[b]not markup[/b]"),
        (b"caf\xc3\xa9 \xff\x1b", "café �␛"),
    ],
)
def test_what_is_shown(value: str | bytes, shown: str) -> None:
    assert safe_text(value) == shown


def test_long_text_ends_in_an_ellipsis() -> None:
    assert safe_text("abcdef", 6) == "abcdef"
    assert safe_text("abcdefg", 6) == "abcde…"
    assert safe_text("é" * 10, 3) == "éé…"
    assert safe_text(b"\xc3\xa9" * 10, 3) == "éé…"
    assert safe_text("a" + "\u0301" * 1_000_000, 100).endswith("…")


def test_a_block_keeps_lines_and_expands_tabs() -> None:
    assert safe_block("a\tb\r\n\x1bc\n\n") == "a   b\n␛c\n\n"
    assert safe_block("1\n2\n3\n4", max_lines=3) == "1\n2\n…"
    assert safe_block("1\n2\n3", max_lines=3) == "1\n2\n3"
    assert safe_block("12345", limit=4) == "123…"
    assert safe_block("a\x0bb\u2028c") == "a␋b‹2028›c"


@given(st.text(st.characters(codec="utf-8", max_codepoint=0x2FFF)))
def test_blocks_that_need_no_look_at_each_character_are_as_safe_as_all_others(text: str) -> None:
    # A character from elsewhere makes it look at each.
    assert safe_in_place(text) == safe_in_place(f"{text}中")[:-1]
