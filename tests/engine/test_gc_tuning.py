"""How often the garbage collector runs while several loads overlap."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from natster_tui.engine.gc_tuning import (
    IN_SMALL_STEPS,
    YOUNG_OBJECTS,
    collect_in_small_steps,
    collecting_rarely,
)


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize("first_to_end", [0, 1])
def test_it_comes_rarely_until_the_last_has_read_all(first_to_end: int) -> None:
    collect_in_small_steps()
    readers = [ExitStack(), ExitStack()]
    for reader in readers:
        reader.enter_context(collecting_rarely())
    readers.pop(first_to_end).close()
    assert gc.get_threshold()[0] == YOUNG_OBJECTS
    readers.pop().close()
    assert gc.get_threshold() == IN_SMALL_STEPS
