"""The sizes of new buckets if an account requires limits."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from natster_tui.store.provisioning.maker import KEYS, LEASES, projection_spec
from natster_tui.store.provisioning.sizes import (
    LEAST_PROJECTION,
    NoRoomForLogError,
    Room,
    TooSmallError,
    plan_log,
    plan_sizes,
)
from natster_tui.store.provisioning.specs import BucketSpec
from natster_tui.text.byte_sizes import GIB, MIB

ACCOUNT, CATALOG = projection_spec("PROJ_ACCOUNT"), projection_spec("PROJ_CATALOG")
ALL = [LEASES, KEYS, ACCOUNT, CATALOG]


def in_mib(sizes: dict[str, int]) -> list[int]:
    return [size // MIB for size in sizes.values()]


def plan(
    room: Room, log_limit: int = 0, asked: int | None = None, missing: list[BucketSpec] = ALL
) -> dict[str, int]:
    planned = plan_sizes(missing, log_limit, room, asked)
    return {spec.name: planned[spec.name] for spec in missing}


@pytest.mark.parametrize(
    ("room", "log_limit", "sizes"),
    [
        (Room(), 0, [1, 64, 1024, 1024]),
        (Room(), 200 * MIB, [1, 64, 200, 200]),
        (Room(), 4 * MIB, [1, 64, 4, 4]),
        (Room(per_stream=100 * MIB), 0, [1, 64, 100, 100]),
        (Room(per_stream=32 * MIB), 0, [1, 32, 32, 32]),
        (Room(storage=GIB, left=265 * MIB), 0, [1, 64, 100, 100]),
        # Three copies of each byte count.
        (Room(storage=GIB, left=3 * 265 * MIB, replicas=3), 0, [1, 64, 100, 100]),
        (Room(storage=GIB, left=61 * MIB), 0, [1, 20, 20, 20]),
    ],
)
def test_each_gets_what_it_wants_within_the_limits_and_its_share(
    room: Room, log_limit: int, sizes: list[int]
) -> None:
    assert in_mib(plan(room, log_limit)) == sizes


def test_only_what_is_missing_shares() -> None:
    assert in_mib(plan(Room(storage=GIB, left=50 * MIB), missing=[CATALOG])) == [50]


@pytest.mark.parametrize(
    ("room", "log_limit"),
    [(Room(storage=GIB, left=45 * MIB), 0), (Room(per_stream=8 * MIB), 0), (Room(left=0), 0)],
)
def test_less_than_a_projection_needs_is_refused(room: Room, log_limit: int) -> None:
    with pytest.raises(TooSmallError) as refused:
        plan(room, log_limit)
    assert refused.value.size < refused.value.least
    assert not refused.value.asked


def test_a_smaller_log_needs_no_larger_projection() -> None:
    assert in_mib(plan(Room(left=20 * MIB), 4 * MIB)) == [1, 11, 4, 4]


def test_what_is_asked_for_is_taken_though_it_is_small() -> None:
    room = Room(storage=GIB, left=30 * MIB)
    assert in_mib(plan(room, asked=8 * MIB)) == [1, 13, 8, 8]
    assert in_mib(plan(Room(), asked=5 * GIB)) == [1, 64, 5120, 5120]


@pytest.mark.parametrize(
    ("room", "asked"),
    [
        (Room(per_stream=32 * MIB), 33 * MIB),
        (Room(left=99 * MIB), 50 * MIB),
        (Room(left=101 * MIB), 50 * MIB),
    ],
)
def test_what_is_asked_for_and_is_not_there_is_refused(room: Room, asked: int) -> None:
    with pytest.raises(TooSmallError) as refused:
        plan(room, asked=asked)
    assert refused.value.asked


limits = st.none() | st.integers(0, 10 * GIB)


@given(
    per_stream=st.none() | st.integers(1, 10 * GIB),
    left=limits,
    replicas=st.integers(1, 5),
    log_limit=st.integers(0, 5 * GIB),
    asked=st.none() | st.integers(MIB, 5 * GIB),
)
def test_no_plan_exceeds_what_there_is(
    per_stream: int | None, left: int | None, replicas: int, log_limit: int, asked: int | None
) -> None:
    room = Room(per_stream, left, left, replicas)
    try:
        sizes = plan(room, log_limit, asked)
    except TooSmallError:
        return
    assert left is None or sum(sizes.values()) * replicas <= left
    assert per_stream is None or max(sizes.values()) <= per_stream
    for spec in (ACCOUNT, CATALOG):
        least = asked or min(LEAST_PROJECTION, log_limit or LEAST_PROJECTION)
        assert sizes[spec.name] >= least


@pytest.mark.parametrize(
    ("room", "asked", "size"),
    [
        (Room(), None, 1024),
        (Room(per_stream=100 * MIB), None, 100),
        (Room(storage=2 * GIB, left=2 * GIB), None, 1024),
        # Beside 1 GiB the projections would get 15 MiB each.
        (Room(storage=2 * GIB, left=1070 * MIB), None, 335),
        (Room(storage=GIB, left=365 * MIB), None, 100),
        (Room(storage=GIB, left=3 * 365 * MIB, replicas=3), None, 100),
        (Room(storage=GIB, left=165 * MIB), 20 * MIB, 62),
    ],
)
def test_a_new_log_has_1_gib_or_what_leaves_room_for_its_buckets(
    room: Room, asked: int | None, size: int
) -> None:
    assert plan_log(ALL, room, asked) // MIB == size


@pytest.mark.parametrize("room", [Room(left=0), Room(left=50 * MIB), Room(per_stream=8 * MIB)])
def test_a_log_of_less_than_16_mib_is_not_chosen(room: Room) -> None:
    with pytest.raises(NoRoomForLogError):
        plan_log(ALL, room)


@given(left=st.integers(0, 4 * GIB), replicas=st.sampled_from([1, 3]))
@example(left=62 * MIB, replicas=1)
@example(left=64 * MIB, replicas=3)
def test_the_buckets_of_a_log_whose_size_was_chosen_can_be_made(left: int, replicas: int) -> None:
    room = Room(storage=4 * GIB, left=left, replicas=replicas)
    try:
        log = plan_log(ALL, room)
    except NoRoomForLogError:
        return
    plan(Room(storage=4 * GIB, left=left - log * replicas, replicas=replicas), log)
