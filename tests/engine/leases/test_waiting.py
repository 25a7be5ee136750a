"""A projector that may not write says what it waits for, whatever that is."""

from __future__ import annotations

import pytest

from natster_tui.engine.leases.waiting import Cause, Waiting
from natster_tui.store.lease import Holder

HOLDER = Holder(host="there", pid=7, instance="x", since=1, version=1)


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("holder", [None, HOLDER])
@pytest.mark.parametrize("looks", [0, 5])
@pytest.mark.parametrize("problem", ["", "the server says no"])
def test_every_wait_names_what_it_is_for(
    cause: Cause, holder: Holder | None, looks: int, problem: str
) -> None:
    if cause is Cause.REFUSED and not problem:
        return  # a refusal always has a reason
    sentence = Waiting(cause, "account", holder, looks, problem).sentence
    if holder is not None:
        assert "there, process 7" in sentence
        assert ("is taken over after" in sentence) == (looks == 5)
    elif problem:
        assert sentence.endswith(problem)
    else:
        assert sentence.startswith("waiting for ")
        assert sentence.endswith("the lease of account in NATSTER_LEASE")
