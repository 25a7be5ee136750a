from __future__ import annotations

import pytest

from natster_tui.engine.projecting.obstacles import NewerVersion
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.lease import Holder

STORED = ACCOUNTS.version + 1


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (STORED, f"; here, process 7 projects version {STORED}"),
        (STORED + 1, f"; here, process 7 projects version {STORED + 1}"),
        # An older version that has the lease still is about to give it up.
        (ACCOUNTS.version, ""),
        (None, ""),
    ],
)
def test_it_says_which_version_projects_now(version: int | None, expected: str) -> None:
    holder = Holder(host="here", pid=7, instance="x", since=1, version=version)
    sentence = NewerVersion(ACCOUNTS, STORED, holder).sentence
    assert sentence.endswith(f"rebuild account to go back{expected}")
