"""Ending tasks without losing their errors."""

from __future__ import annotations

import asyncio

import pytest

from natster_tui.errors import ConnectionLostError, KeysChangedError, NatsterError, ServerError
from natster_tui.store.tasks import cause_of, end_all, settled


async def fails_when_cancelled(error: Exception) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise error


async def begun(error: Exception) -> asyncio.Task[None]:
    task = asyncio.create_task(fails_when_cancelled(error))
    await asyncio.sleep(0)
    return task


async def test_a_mistake_made_while_being_cancelled_is_raised() -> None:
    tasks = [await begun(ServerError("no answer")), await begun(ZeroDivisionError())]
    with pytest.raises(ZeroDivisionError):
        await end_all(tasks)
    assert all(task.done() for task in tasks)


async def test_what_a_request_that_no_caller_waits_for_says_is_dropped() -> None:
    await end_all([await begun(ServerError("no answer"))])


async def test_tasks_that_are_not_cancelled_are_waited_for() -> None:
    order: list[int] = []

    async def note(number: int) -> None:
        await asyncio.sleep(0)
        order.append(number)

    await settled([asyncio.create_task(note(number)) for number in range(3)])
    assert order == [0, 1, 2]


LOST, KEYS, OTHER = ConnectionLostError("lost"), KeysChangedError("keys"), ServerError("other")
MISTAKE = ZeroDivisionError()


@pytest.mark.parametrize(
    ("errors", "cause"),
    [
        ([OTHER, LOST], LOST),
        ([LOST, KEYS], KEYS),
        ([KEYS, LOST, MISTAKE], MISTAKE),
        ([OTHER], OTHER),
        ([ExceptionGroup("inner", [MISTAKE]), LOST], MISTAKE),
    ],
)
def test_the_error_that_explains_most_is_the_cause(
    errors: list[Exception], cause: NatsterError
) -> None:
    assert cause_of(ExceptionGroup("outer", errors)) is cause
