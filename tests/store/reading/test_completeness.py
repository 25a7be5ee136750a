"""Whether a read is complete, compared with a plain model of sets of sequences."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from natster_tui.store.reading.completeness import (
    EndsEarlier,
    Extent,
    Finding,
    HistoryLost,
    NotListed,
    StillHeld,
    first_finding,
    gaps_between,
)

MOST = 14
seqs = st.integers(1, MOST)
FAR = 2**62


def plain_finding(
    wanted: range, delivered: set[int], held: set[int], extent: Extent, known_from: int | None
) -> set[str]:
    """What is wrong, by the rule's own words; the kinds of findings that are possible."""
    missing = set(wanted) - delivered
    wrong = set()
    if missing and max(missing) > extent.last_seq:
        wrong.add("EndsEarlier")
    if known_from is not None and any(known_from <= seq < extent.first_seq for seq in missing):
        wrong.add("HistoryLost")
    if missing & held:
        wrong.add("StillHeld")
    return wrong


@given(
    first=seqs,
    last=seqs,
    delivered=st.sets(seqs),
    held=st.sets(seqs),
    more=st.integers(0, 2),
    known_from=st.none() | seqs,
    at=st.sampled_from([0, FAR]),
)
@example(1, 10, set(range(1, 11)), set(range(1, 11)), 0, 1, 0)
def test_a_read_is_complete_when_all_that_is_missing_was_deleted_before_it_began(
    first: int,
    last: int,
    delivered: set[int],
    held: set[int],
    more: int,
    known_from: int | None,
    at: int,
) -> None:
    """`held` is what the stream holds at the end; `more` what was deleted at its head."""
    wanted = range(at + first, at + last + 1)
    delivered = {at + seq for seq in delivered} & set(wanted)
    held = {at + seq for seq in held}
    known_from = None if known_from is None else at + known_from
    end = max(held, default=at) + more
    begin = min(held, default=end + 1)
    deleted = sorted(set(range(begin, end + 1)) - held)
    extent = Extent(begin, end, deleted)

    # What follows the last one that came is a gap as well.
    gaps = gaps_between(at + first, [*sorted(delivered), at + last + 1])
    if last < first:
        gaps = []
    assert {seq for a, b in gaps for seq in range(a, b + 1)} == set(wanted) - delivered

    found: Finding | None = first_finding(gaps, extent, known_from)
    wrong = plain_finding(wanted, delivered, held, extent, known_from)
    assert (found is None) == (not wrong)
    match found:
        case StillHeld(seq):
            assert seq == min(held & (set(wanted) - delivered))
        case HistoryLost(first_seq, missing):
            assert first_seq == begin
            assert 0 < missing <= len(wanted)
            assert "HistoryLost" in wrong
        case EndsEarlier(last_seq):
            assert last_seq == end
            assert "EndsEarlier" in wrong
    unlisted = first_finding(gaps, Extent(begin, end, None), known_from)
    if isinstance(unlisted, NotListed):
        a, b = unlisted.gap
        assert begin <= a <= b <= end
    else:
        assert unlisted == found


def test_a_read_without_gaps_has_none() -> None:
    assert gaps_between(1, []) == []
    assert gaps_between(5, [5, 6, 7]) == []
    assert gaps_between(5, [6, 9]) == [(5, 5), (7, 8)]


def test_a_stream_that_begins_far_up_is_not_counted_through() -> None:
    extent = Extent(FAR, FAR + 5, ())
    assert first_finding([(1, FAR - 1)], extent, None) is None
    assert first_finding([(1, FAR + 5)], extent, None) == StillHeld(FAR)
    assert first_finding([(1, FAR + 5)], extent, 1) == HistoryLost(FAR, FAR - 1)
