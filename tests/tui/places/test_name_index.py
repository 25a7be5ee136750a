"""Which documents a text finds, and in which order."""

from __future__ import annotations

from collections.abc import Mapping

from natster_tui.tui.places.name_index import LOOKED_AT, NameIndex, Rank


def index_of(names: Mapping[str, tuple[str, ...]]) -> NameIndex:
    index = NameIndex()
    for key, texts in names.items():
        index.add(key, texts)
    index.finish()
    return index


def keys(index: NameIndex, text: str, limit: int = 50) -> list[str]:
    return [match.key for match in index.find(text, limit)]


def test_the_best_match_comes_first() -> None:
    index = index_of(
        {
            "inside": ("the unmarked",),
            "word": ("Great Mark",),
            "beginning": ("Marketa",),
            "whole": ("mark",),
            "none": ("Ingrid",),
        }
    )
    assert keys(index, "MARK") == ["whole", "beginning", "word", "inside"]


def test_of_equal_matches_the_shorter_name_comes_first() -> None:
    index = index_of({"long": ("night-walks-again",), "short": ("night-walks",)})
    assert keys(index, "night") == ["short", "long"]


def test_words_are_found_in_any_order() -> None:
    index = index_of({"I": ("Ingrid Solbakken",), "S": ("Sol Ingersen",)})
    assert keys(index, "solbakken ingrid") == ["I"]


def test_a_document_is_found_by_its_key_and_by_its_name_and_listed_once() -> None:
    index = index_of({"AAB2C": ("Aabel", "AAB2C")})
    assert keys(index, "aab") == ["AAB2C"]
    assert keys(index, "aab2c") == ["AAB2C"]
    assert keys(index, "abel") == ["AAB2C"]


def test_a_shortened_key_is_found_as_the_rows_show_it() -> None:
    index = index_of({"ACB4XXGDT": ("ACB4XXGDT",), "ACB4YYZZZ": ("ACB4YYZZZ",)})
    assert keys(index, "ACB4…GDT") == ["ACB4XXGDT"]


def test_lines_of_different_names_are_not_taken_together() -> None:
    index = index_of({"one": ("alpha",), "two": ("beta",)})
    assert keys(index, "alpha beta") == []
    assert keys(index, "pha\nbe") == []
    assert keys(index, "\n") == []


def test_names_with_line_breaks_are_one_name() -> None:
    index = index_of({"odd": ("first\nsecond\x1cthird",), "other": ("next",)})
    assert keys(index, "first second third") == ["odd"]
    assert keys(index, "next") == ["other"]


def test_nothing_is_found_in_nothing() -> None:
    assert keys(index_of({}), "a") == []
    assert keys(index_of({"a": ("",)}), "a") == []
    assert keys(index_of({"a": ("a",)}), "  ") == []


def test_work_is_bounded_if_everything_matches() -> None:
    index = index_of(
        {f"K{number}": (f"a name {number}", f"K{number}") for number in range(20 * LOOKED_AT)}
    )
    found = index.find("name", 50)
    assert len(found) == 50
    assert {match.rank for match in found} == {Rank.WORD}


def test_the_best_match_is_found_among_very_many() -> None:
    names = {f"K{number}": (f"unnamed {number}",) for number in range(20 * LOOKED_AT)}
    index = index_of(names | {"last": ("Name",)})
    assert keys(index, "name")[0] == "last"
