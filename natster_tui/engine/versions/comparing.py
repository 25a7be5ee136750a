"""Comparing two stored versions of a projection at one sequence, while both are being written.

The side whose rule is loaded here is read first, then the other one once it is at least as far. In
memory, the rule then folds the events between the two positions into the first side. Nothing is
written.
"""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import Any

from natster_tui.engine.projecting.obstacles import fault_of
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    bucket_of,
    check_identity,
    load_projection,
)
from natster_tui.engine.rebuilding.replay import encoded_documents, replay
from natster_tui.engine.versions.finding import VersionPair
from natster_tui.engine.versions.reaching import wait_until_stored
from natster_tui.engine.versions.side_by_side import Side, SideBySide
from natster_tui.errors import ConflictError, LogChangedError, RefusedError, UsageError
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.projections.versions.comparing import compare_documents
from natster_tui.store.connection.together import together
from natster_tui.store.lease import Holder, projecting
from natster_tui.store.log import EventLog

CATCH_UP_S = 3.0
"""How long the side that is behind may take to reach the other one; usually milliseconds."""
_COMPARABLE = (BucketState.OURS, BucketState.OTHER_VERSION)

_Documents = dict[str, bytes]


async def compare_versions(log: EventLog, pair: VersionPair, instance: str) -> SideBySide:
    """Compare the stored version with the one beside.

    Raises RefusedError if one of them holds nothing that can be compared, UsageError if neither
    rule is loaded here, ConflictError if one was rewritten during the comparison.
    """
    stored, other = await together(
        _load(log, pair.current, instance), _load(log, pair.beside, instance)
    )
    known = await _known(log, pair, stored, other, instance)
    unknown = stored if known.projection.beside else other
    unknown, refolds = await _reached(log, unknown, _position(known), instance)
    seq = _position(unknown)
    if refolds:
        known_documents = await _refolded(log, known.projection, seq, instance)
    else:
        known_documents = await _folded_to(log, known.fold(), seq, instance)
    sides = [(unknown, unknown.whole_documents()), (known, known_documents)]
    (left, before), (right, after) = sides if known.projection.beside else reversed(sides)
    info, one, two = await together(
        log.refresh(),
        projecting(log.link, left.projection.name),
        projecting(log.link, right.projection.name),
    )
    return SideBySide(
        pair.name,
        seq,
        info.last_seq,
        _side(left, info.last_seq, one, instance),
        _side(right, info.last_seq, two, instance),
        compare_documents(before, after),
        _version(known) if refolds else 0,
    )


async def _known(
    log: EventLog,
    pair: VersionPair,
    stored: StoredProjection,
    other: StoredProjection,
    instance: str,
) -> StoredProjection:
    """The side whose rule is loaded here, with that rule; the one beside, if both are."""
    if other.bucket_state is BucketState.OURS and pair.rule_of(pair.version) is not None:
        return other
    rule = pair.rule_of(_version(stored))
    if rule is None:
        raise UsageError(
            f"neither version {_version(stored)} nor version {pair.version} of {pair.name} is "
            "loaded here: name the file of one of them with --projection"
        )
    return stored if rule is pair.current else await _load(log, rule, instance)


async def _load(log: EventLog, projection: Projection[Any], instance: str) -> StoredProjection:
    stored = await load_projection(bucket_of(log, projection, instance), projection)
    if stored.bucket_state in _COMPARABLE and stored.checkpoint is not None:
        if changed := await check_identity(log, stored.checkpoint):
            raise LogChangedError(changed.sentence)
        return stored
    if (fault := fault_of(stored)) is not None:
        raise RefusedError(fault.sentence)
    raise RefusedError(f"nothing is stored in {projection.bucket} yet: project it first")


async def _reached(
    log: EventLog, stored: StoredProjection, seq: int, instance: str
) -> tuple[StoredProjection, bool]:
    """The projection at `seq` or later; also returns True if it did not get there in time."""
    if _position(stored) >= seq:
        return stored, False
    until = time.monotonic() + CATCH_UP_S
    reached = await wait_until_stored(log, stored.projection, seq, until)
    if reached is None or reached.seq < seq:
        return stored, True
    later = await _load(log, stored.projection, instance)
    if _version(later) != _version(stored):
        raise ConflictError(f"{stored.projection.bucket} was rebuilt just now: compare again")
    return later, False


async def _folded_to(log: EventLog, fold: Fold[Any], to: int, instance: str) -> _Documents:
    """The documents of a fold after all events up to `to`."""
    if fold.seq < to:
        reading = log.records(fold.seq + 1, to, purpose="compare", instance=instance)
        async with aclosing(reading) as batches:
            async for batch in batches:
                fold.apply_all(batch, list(map(log.system.read, batch)))
    return await encoded_documents(fold)


async def _refolded(
    log: EventLog, projection: Projection[Any], to: int, instance: str
) -> _Documents:
    work = await replay(log, [projection], to, instance)
    return await encoded_documents(work.folds[projection.name])


def _side(stored: StoredProjection, head: int, holder: Holder | None, instance: str) -> Side:
    position = _position(stored)
    return Side(
        _version(stored),
        stored.projection.bucket,
        position,
        max(0, head - position),
        stored.document_count,
        holder,
        holder is not None and holder.instance == instance,
    )


def _position(stored: StoredProjection) -> int:
    assert stored.checkpoint is not None
    return stored.checkpoint.seq


def _version(stored: StoredProjection) -> int:
    assert stored.checkpoint is not None
    return stored.checkpoint.version
