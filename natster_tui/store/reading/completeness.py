"""Whether a read of a stream returned everything that the stream holds, as pure functions.

A consumer may leave messages out: it may run on a replica that is behind, or be broken. So if
sequences are missing from what it delivered, the stream's leader is asked which were deleted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Gap = tuple[int, int]
"""The first and the last of a run of sequences that were not delivered."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a stream holds, as reported by its leader.

    It holds every sequence from `first_seq` to `last_seq` that is not among `deleted` (ascending).
    `deleted` is None if there are too many to list.
    """

    first_seq: int
    last_seq: int
    deleted: Sequence[int] | None = ()


@dataclass(frozen=True, slots=True)
class StillHeld:
    """The stream holds the message at `seq`, which was not delivered."""

    seq: int


@dataclass(frozen=True, slots=True)
class HistoryLost:
    """`missing` messages that existed when the read began are gone: the stream begins later now."""

    first_seq: int
    missing: int


@dataclass(frozen=True, slots=True)
class EndsEarlier:
    """The stream ends at `last_seq`, before the last sequence that was asked for."""

    last_seq: int


@dataclass(frozen=True, slots=True)
class NotListed:
    """The leader did not list this gap's deleted sequences: it must be asked about each."""

    gap: Gap


Finding = StillHeld | HistoryLost | EndsEarlier | NotListed


def gaps_between(start: int, seqs: Iterable[int]) -> list[Gap]:
    """The gaps between ascending sequences, from `start` on."""
    gaps = []
    for seq in seqs:
        if seq > start:
            gaps.append((start, seq - 1))
        start = seq + 1
    return gaps


def first_finding(gaps: Iterable[Gap], extent: Extent, known_from: int | None) -> Finding | None:
    """The first problem with the gaps; None if all missing messages were deleted.

    Messages from the sequence `known_from` on existed when the read began; None if not known.
    """
    for begin, end in gaps:
        if end > extent.last_seq:
            return EndsEarlier(extent.last_seq)
        if known_from is not None:
            lost = min(end + 1, extent.first_seq) - max(begin, known_from)
            if lost > 0:
                return HistoryLost(extent.first_seq, lost)
        begin = max(begin, extent.first_seq)
        if begin > end:
            continue
        if extent.deleted is None:
            return NotListed((begin, end))
        if (held := _first_not_in(extent.deleted, begin, end)) is not None:
            return StillHeld(held)
    return None


def _first_not_in(deleted: Sequence[int], begin: int, end: int) -> int | None:
    """The first sequence from `begin` to `end` that is not among the ascending ones."""
    at, upto = bisect_left(deleted, begin), bisect_right(deleted, end)
    if upto - at == end - begin + 1:
        return None
    # They ascend without repetition, so the wanted one is where `begin`, `begin + 1`, … ends.
    run = bisect_left(range(upto - at), True, key=lambda n: deleted[at + n] != begin + n)
    return begin + run
