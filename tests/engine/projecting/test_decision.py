"""What a projector decides from the facts at its start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natster_tui.engine.leases.waiting import Cause, Waiting
from natster_tui.engine.projecting.decision import (
    Ask,
    Decision,
    Facts,
    Reason,
    RebuildFirst,
    Watch,
    Write,
    decide,
)
from natster_tui.engine.projecting.stored_projection import BucketState

OURS = Facts(BucketState.OURS, version=2, stored_version=2)
OLDER = Facts(BucketState.OTHER_VERSION, version=2, stored_version=1)
NEWER = Facts(BucketState.OTHER_VERSION, version=2, stored_version=3)
WAITING = Waiting(Cause.ANSWER, "account")


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        (OURS, Write()),
        (Facts(BucketState.MISSING, version=2), Write()),
        (Facts(BucketState.EMPTY, version=2), Write()),
        (replace(OURS, lease_decided=False), Ask()),
        (replace(OURS, waiting=WAITING), Watch(Reason.LEASE)),
        (replace(OURS, may_write=False, lease_decided=False), Watch(Reason.READ_ONLY)),
        (replace(OURS, denied=True, lease_decided=False), Watch(Reason.DENIED)),
        (replace(OURS, has_batches=False, lease_decided=False), Watch(Reason.OLD_SERVER)),
        (replace(OURS, cannot_seal=True, lease_decided=False), Watch(Reason.CANNOT_SEAL)),
        (replace(OURS, is_sealed=True, lease_decided=False), Watch(Reason.SEALED)),
        (replace(OURS, is_sealed=True, seals=True), Write()),
        (Facts(BucketState.FOREIGN, 2, lease_decided=False), Watch(Reason.NEEDS_OPERATOR)),
        (Facts(BucketState.UNREADABLE, 2, lease_decided=False), Watch(Reason.NEEDS_OPERATOR)),
        (Facts(BucketState.INTERRUPTED, 2, 2), RebuildFirst()),
        (Facts(BucketState.INTERRUPTED, 2, 2, lease_decided=False), Ask()),
        (Facts(BucketState.INTERRUPTED, 2, 2, waiting=WAITING), Watch(Reason.LEASE)),
        (Facts(BucketState.BEFORE_ERASURE, 2, 2), RebuildFirst()),
    ],
)
def test_what_is_stored_decides(facts: Facts, decision: Decision) -> None:
    assert decide(facts) == decision


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        # Versions are compared before the lease is asked for.
        (replace(OLDER, lease_decided=False), Watch(Reason.NEEDS_OPERATOR)),
        (replace(NEWER, lease_decided=False), Watch(Reason.NEWER_VERSION)),
        # Rolling out: the process of the older version holds the lease still.
        (replace(OLDER, auto_rebuild=True, lease_decided=False), RebuildFirst()),
        # Stepping back, also while told to rebuild: it was the older version that was left.
        (replace(NEWER, auto_rebuild=True, was_ours=True), Watch(Reason.NEWER_VERSION)),
        # Going back: started with that order, where no other process projects.
        (replace(NEWER, auto_rebuild=True, lease_decided=False), Ask()),
        (replace(NEWER, auto_rebuild=True, waiting=WAITING), Watch(Reason.LEASE)),
        (replace(NEWER, auto_rebuild=True), RebuildFirst()),
        # Half of a newer version's rebuild is not for the older one to finish.
        (Facts(BucketState.INTERRUPTED, 2, 3), Watch(Reason.NEWER_VERSION)),
    ],
)
def test_versions_decide(facts: Facts, decision: Decision) -> None:
    assert decide(facts) == decision
