"""Made-up logs: an event in a line, logs as records, and Hypothesis strategies for whole logs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from natster_tui.events.event import MARKER_REASON, OCCURRED_AT, Record
from natster_tui.events.natster import EventType
from natster_tui.projections.account import CONTEXT_FIELDS
from natster_tui.store.log import Append, EventLog

BASE_S = 1_795_403_595
"""The time of a made-up log's first event, in unix seconds; the others follow second by second."""

A, B, C, D = "AA", "BB", "CC", "DD"


# -- one event ---------------------------------------------------------------------------------


def event(
    kind: EventType | str,
    origin: str,
    target: str = "none",
    catalog: str = "none",
    payload: bytes = b"",
    *headers: tuple[str, str],
) -> Append:
    return Append(f"natster.events.{origin}.{target}.{catalog}.{kind}", payload, headers)


def initialized(origin: str, name: str | None = None, *headers: tuple[str, str]) -> Append:
    payload = b"" if name is None else json.dumps({"account_name": name}).encode()
    return event(EventType.INITIALIZED, origin, "none", "none", payload, *headers)


def context(oauth_id: str = "github|aaa", **fields: Any) -> bytes:
    return json.dumps({"oauth_id": oauth_id, "bound_context": fields}).encode()


def bound(origin: str, payload: bytes | None = None) -> Append:
    return event(
        EventType.CONTEXT_BOUND,
        origin,
        payload=context(user_id="u") if payload is None else payload,
    )


def shared(origin: str, target: str, catalog: str = "kevbuzz", payload: bytes = b"") -> Append:
    return event(EventType.SHARED, origin, target, catalog, payload)


def unshared(origin: str, target: str, catalog: str = "kevbuzz") -> Append:
    return event(EventType.UNSHARED, origin, target, catalog)


def imported(
    importer: str, owner: str, catalog: str = "kevbuzz", *headers: tuple[str, str]
) -> Append:
    return event(EventType.IMPORTED, importer, owner, catalog, b"", *headers)


# -- a log -------------------------------------------------------------------------------------


def records_of(*events: Append) -> list[Record]:
    """The events as a log holds them: from sequence 1 on, a second apart."""
    return [
        Record(seq, (BASE_S + seq - 1) * 1_000_000_000, made.subject, made.payload, made.headers)
        for seq, made in enumerate(events, 1)
    ]


async def append(log: EventLog, events: Iterable[Append]) -> int:
    """Append events as they are and return the log's head."""
    made = list(events)
    assert await log.append_all(made, expected_last=None) == len(made)
    return (await log.refresh()).last_seq


async def append_without_headers(log: EventLog, events: Iterable[Append]) -> int:
    """The same as a program does that publishes plainly."""
    for made in events:
        await log.link.request(log.link.target.stored(made.subject), made.payload)
    return (await log.refresh()).last_seq


async def records_in(log: EventLog, first: int = 1) -> list[Record]:
    """What the log holds from a sequence on, as it gives it back."""
    head = (await log.refresh()).last_seq
    found: list[Record] = []
    async for batch in log.records(first, head, purpose="test", instance="test"):
        found.extend(batch)
    return found


# -- strategies --------------------------------------------------------------------------------

# Few names, so that events collide; two differ in letter case only.
accounts = st.sampled_from([A, B, C])
catalogs = st.sampled_from(["kevbuzz", "movies", "Movies"])
WEIRD_TOKENS = (
    "none",
    "_x",
    "_checkpoint",
    "a$b",
    "*",
    ">",
    "a*",
    "é",
    "KV",
    "a/b",
    "-",
    "=",
    "x" * 60,
)
weird_tokens = st.sampled_from(WEIRD_TOKENS)

_texts = st.text(st.characters(codec="utf-8"), max_size=5)
_readable_contexts = st.builds(
    lambda oauth_id, fields, more: json.dumps(
        {"oauth_id": oauth_id, "bound_context": fields, **more}, ensure_ascii=False
    ).encode(),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=5),
    st.dictionaries(
        st.sampled_from([*CONTEXT_FIELDS, "unknown"]),
        _texts,
    ),
    st.sampled_from([{}, {"more": 1}, {"more": [None]}]),
)
_odd_payloads = st.sampled_from(
    [
        b"", b"null", b"{}", b"[]", b'"a string"', b"7", b"{not json", b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"oauth_id":""}', b'{"oauth_id":7,"bound_context":{}}', b'{"oauth_id":"x"}',
        b'{"oauth_id":"x","bound_context":[]}', b'{"oauth_id":"x","bound_context":null}',
        b'{"oauth_id":"x","bound_context":{"creds":null}}',
        b'{"oauth_id":"x","bound_context":{"creds":1}}',
        b'{"oauth_id":"x","bound_context":{"more":NaN}}',
        b'{"oauth_id":"\\ud800","bound_context":{}}',
        b'{"account_name":""}', b'{"account_name":7}', b'{"account_name":"x","y":Infinity}',
        b'{"Account_Name":"x"}',
    ]
)  # fmt: skip
_names = st.builds(
    lambda name: json.dumps({"account_name": name}).encode(),
    st.sampled_from(["Ann", "Bob", "Zoë", 'a"b\\\n']),
)
payloads = st.one_of(_odd_payloads, _readable_contexts, _names)
_occurred = st.sampled_from(
    [
        (), ((OCCURRED_AT, "2021-03-04T05:06:07Z"),), ((OCCURRED_AT, "1970-01-01T00:00:01+00:00"),),
        ((OCCURRED_AT, "yesterday"),), ((OCCURRED_AT, "2021-03-04T05:06:60Z"),),
        ((OCCURRED_AT, "2001-01-01T00:00:00Z"), (OCCURRED_AT, "2002-01-01T00:00:00Z")),
        ((OCCURRED_AT, ""), (OCCURRED_AT, "2002-01-01T00:00:00Z")), (("Other", "x"),),
    ]
)  # fmt: skip

_catalog_kinds = st.sampled_from([EventType.SHARED, EventType.UNSHARED, EventType.IMPORTED])
_account_kinds = st.sampled_from([EventType.INITIALIZED, EventType.CONTEXT_BOUND])
_ordinary = st.one_of(
    st.builds(
        lambda kind, origin, target, catalog, headers: event(
            kind, origin, target, catalog, b"", *headers
        ),
        _catalog_kinds, accounts, accounts, catalogs, _occurred,
    ),
    st.builds(
        lambda kind, origin, payload, headers: event(
            kind, origin, "none", "none", payload, *headers
        ),
        _account_kinds, accounts, payloads, _occurred,
    ),
)  # fmt: skip
_tokens = st.one_of(accounts, weird_tokens)
_weird = st.builds(
    lambda kind, origin, target, catalog, payload: event(kind, origin, target, catalog, payload),
    st.sampled_from([*EventType, "catalog_deleted", "Catalog_shared", "*", ">"]),
    _tokens, _tokens, st.one_of(catalogs, weird_tokens), payloads,
)  # fmt: skip
_not_ours = st.sampled_from(
    ["natster.events", "natster.events.AA.BB.kevbuzz",
     "natster.events.AA.BB.kevbuzz.x.catalog_shared",
     "other.events.AA.BB.kevbuzz.catalog_shared", "natster.Events.AA.none.none.natster_initialized"]
).map(lambda subject: Append(subject, b""))  # fmt: skip

_markers = st.builds(
    lambda kind, origin, target, catalog, reason: event(
        kind, origin, target, catalog, b"", (MARKER_REASON, reason)
    ),
    _catalog_kinds, accounts, accounts, catalogs, st.sampled_from(["MaxAge", "Remove", ""]),
)  # fmt: skip

_catalog_events = st.permutations([shared, shared, imported, unshared])
_stories = st.builds(
    lambda owner, other, catalog, makers, length: [
        imported(other, owner, catalog) if make is imported else make(owner, other, catalog)
        for make in makers[:length]
    ],
    accounts, accounts, catalogs, _catalog_events, st.integers(1, 4),
)  # fmt: skip


def _flat(parts: list[Append | list[Append]]) -> list[Append]:
    return [each for part in parts for each in (part if isinstance(part, list) else [part])]


def stored_events(max_size: int = 20) -> st.SearchStrategy[list[Append]]:
    """Events in an order that may mean something; a log's stream accepts them all."""
    parts = st.one_of(_ordinary, _stories, _weird, _markers)
    return st.lists(parts, max_size=max_size).map(_flat)


@st.composite
def logs(draw: st.DrawFn, max_size: int = 25) -> list[Record]:
    """Logs as a stream may hold them, now and then with a hole."""
    parts = st.one_of(_ordinary, _stories, _stories, _weird, _not_ours, _markers)
    made = _flat(draw(st.lists(parts, max_size=max_size)))
    holes = draw(st.sets(st.integers(1, max_size), max_size=3))
    return [record for record in records_of(*made) if record.seq not in holes]


def in_batches(records: Sequence[Record], cuts: Iterable[int]) -> list[list[Record]]:
    """The records cut before the given indices (taken modulo their number)."""
    at = sorted({cut % (len(records) + 1) for cut in cuts} | {0, len(records)})
    return [list(records[start:end]) for start, end in pairwise(at)]
