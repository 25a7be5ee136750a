from __future__ import annotations

import pytest

from natster_tui.events.event import Event, Record
from natster_tui.events.filter.bounds import Bounds
from natster_tui.events.filter.completion import Value, completions
from natster_tui.events.filter.filter_field import BadFilterError, FilterField, Values
from natster_tui.events.filter.language import EventFilter, filter_language
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import ACCOUNTS

FILTERS = filter_language(NATSTER)

A, B = "A" * 56, "A" + "B" * 55
NOW = 1_795_429_351
NAMES = {A: "Ada Lovelace", B: "Bob"}


def record(seq: int, subject: str, time: int = NOW, payload: bytes = b"") -> Record:
    return Record(seq, time * 1_000_000_000, f"natster.events.{subject}", payload)


LOG = [
    record(1, f"{A}.none.none.natster_initialized", NOW - 100_000),
    record(2, f"{A}.{B}.tour-diaries.catalog_shared", NOW - 5_000),
    record(3, f"{B}.{A}.tour-diaries.catalog_imported", NOW - 60),
    record(4, f"{A}.none.none.context_bound", NOW - 30, b"broken"),
    record(5, f"{A}.{B}.tour-diaries.catalog_renamed", NOW - 20),
    record(6, f"{A}.{B}.tour-diaries.catalog_unshared", NOW - 10),
]


def parked(event: Event) -> str:
    reason = ACCOUNTS.parks(event)
    return "" if reason is None else reason.value


def passing(wanted: EventFilter) -> list[int]:
    def name_of(key: str) -> str:
        return NAMES.get(key, key)

    return [r.seq for r in LOG if wanted.passes(r, name_of, parked)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("type:shared", [2]),
        ("type:catalog_shared", [2]),
        ("-type:shared", [1, 3, 4, 5, 6]),
        ("from:ada", [1, 2, 4, 6]),
        (f"from:{A}", [1, 2, 4, 6]),
        ("to:bob", [2, 6]),
        ("account:bob", [2, 3, 6]),
        ("catalog:Tour", [2, 3, 6]),
        ("seq:2..3", [2, 3]),
        ("seq:5..", [5, 6]),
        ("seq:..2", [1, 2]),
        ("seq:4", [4]),
        ("since:2m", [3, 4, 5, 6]),
        ("since:2026-11-23", [2, 3, 4, 5, 6]),
        ("since:5 until:2026-11-23", [5, 6]),
        ("until:2m", [1, 2]),
        ("until:3", [1, 2, 3]),
        ("until:2026-11-22", [1]),
        ("since:yesterday until:30s", [1, 2, 3, 4]),
        ("parked", [4, 5]),
        ("-parked", [1, 2, 3, 6]),
        ("lovelace", [1, 2, 3, 4, 6]),
        ("renamed", [5]),
        ("type:shared type:imported", []),
        ("type:imported account:ada since:2h", [3]),
        ("seq:2.. seq:..4", [2, 3, 4]),
        ("since:2h since:2m", [3, 4, 5, 6]),
        ("type:shared or type:imported", [2, 3]),
        ("from:bob or seq:5.. from:ada", [3, 6]),
        ("seq:..2 or seq:5..", [1, 2, 5, 6]),
        ("seq:..0 or seq:3", [3]),
        ("since:40s or until:2026-11-22", [1, 4, 5, 6]),
        ('"or" type:shared', []),
        ("from:AAAA…AAA", [1, 2, 4, 6]),
        ("to:abbb…bbb", [2, 6]),
        ("from:ABBB…BBA", []),
        ('to:"Bob ABBB…BBB"', [2, 6]),
        ('to:"bob (ABBB…BBB)"', [2, 6]),
        ('to:"Bob ABBB"', [2, 6]),
        ('to:"Bob AB"', []),
        ('to:"Bob AAAA…AAA"', []),
        ('to:"Ada ABBB…BBB"', []),
        ("ABBB…BBB", [2, 3, 5, 6]),
        ("-ABBB…BBB", [1, 4]),
    ],
)
def test_every_word_must_hold(text: str, expected: list[int]) -> None:
    assert passing(FILTERS.parse(text, NOW)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "type:",
        "type:eaten",
        "seq:x",
        "seq:..",
        "since:someday",
        "-until:2h",
        "-seq:1",
        "-since:2h",
        "foo:bar",
        "seq:9..1",
        "or",
        "or parked",
        "parked or",
        "parked or or type:shared",
    ],
)
def test_a_filter_that_cannot_be_parsed_is_reported(text: str) -> None:
    with pytest.raises(BadFilterError):
        FILTERS.parse(text, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type:shared", "natster.events.*.*.*.catalog_shared"),
        # Counted whatever its other tokens are, even a literal ">", which "*" leaves out.
        ("type:initialized", ""),
        (f"from:{A}", f"natster.events.{A}.>"),
        ("from:ada", ""),
        (f"-from:{A}", ""),
        (f"to:{A}", ""),
        ("catalog:tour", ""),
        ("parked", ""),
        ("anything", ""),
        (f"from:{A} or from:ada", ""),
        (f"from:{A} type:shared or type:bound from:{A}", f"natster.events.{A}.>"),
    ],
)
def test_the_subject_filter_leaves_out_nothing_that_passes(text: str, expected: str) -> None:
    assert FILTERS.parse(text, NOW).subject_filter == expected


def named(values: Values) -> list[Value]:
    if values is Values.CATALOGS:
        return [Value("tour-diaries"), Value("overdubs")]
    return [Value("Natster Hub", "AHUB…001"), Value("Ada", "ADA…002"), Value("Ada", "ADB…003")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ty", ["type:"]),
        ("-ty", ["-type:"]),
        ("-se", []),  # what bounds the log cannot be negated
        ("from:x type:sh", ["from:x type:shared", "from:x type:unshared"]),
        ("type:shared or cat", ["type:shared or catalog:"]),
        ("catalog:over", ["catalog:overdubs"]),
        ("account:a", ["account:Ada", 'account:"Natster Hub"']),
        ("from:hub", ['from:"Natster Hub"']),
        ('from:"nat', ['from:"Natster Hub"']),
        ("-from:nat", ['-from:"Natster Hub"']),
        ('from:"Natster Hub" cat', ['from:"Natster Hub" catalog:']),
        ("since:yes", ["since:yesterday"]),
        ("parked", []),
        ("nothing", []),
    ],
)
def test_the_last_word_is_completed(text: str, expected: list[str]) -> None:
    assert [each.text for each in completions(FILTERS, text, named)] == expected


def test_a_key_is_found_by_its_beginning_only() -> None:
    def keys(_values: Values) -> list[Value]:
        return [Value("ABCOLD", is_key=True), Value("Old Dairy Sound")]

    found = [each.text for each in completions(FILTERS, "from:ol", keys)]
    assert found == ['from:"Old Dairy Sound"']
    assert [each.text for each in completions(FILTERS, "from:abc", keys)] == ["from:ABCOLD"]


def test_before_anything_is_typed_all_fields_are_listed_with_what_they_mean() -> None:
    listed = completions(FILTERS, "type:shared ", named)
    assert [each.word for each in listed] == [field.prefix for field in FILTERS.fields]
    assert listed[1].text == "type:shared from:"
    assert all(each.meaning for each in listed)


def test_a_name_that_several_accounts_have_is_listed_once_and_says_so() -> None:
    (ada,) = completions(FILTERS, "to:ada", named)
    assert ada.meaning == "several have this name"


def test_quotes_make_one_word() -> None:
    quoted = FILTERS.parse('account:Half" Past" -"on tour" type:shared', NOW)
    assert [
        (word.field.name, word.value, word.negated) for word in quoted.alternatives[0].words
    ] == [
        ("account", "Half Past", False),
        ("text", "on tour", True),
        ("type", "catalog_shared", False),
    ]


def test_a_field_is_one_entry() -> None:
    odd = FilterField(
        "odd",
        "odd",
        "odd sequences",
        matches=lambda _, look: bool(look.record.seq % 2),
        is_flag=True,
    )
    filters = filter_language(NATSTER, [odd])
    assert passing(filters.parse("odd", NOW)) == [1, 3, 5]
    assert passing(filters.parse("-odd type:shared", NOW)) == [2]
    assert [each.text for each in completions(filters, "od", named)] == ["odd"]
    assert filters.summary.endswith(" parked odd")


def test_bounds_that_are_added_hold_in_each_alternative() -> None:
    either = FILTERS.parse("type:shared or type:imported", NOW)
    assert passing(either.within(Bounds(first=3))) == [3]
    both = FILTERS.parse("seq:2..3 or seq:5..9", NOW)
    assert (both.first, both.last) == (2, 9)


def test_each_field_decides_or_bounds_and_never_both() -> None:
    for field in FILTERS.fields:
        assert (field.matches is None) != (field.bounds is None), field.name
