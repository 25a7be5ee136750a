"""Running several requests at once, because on a slow link each costs a round trip."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar, overload

from natster_tui.store.tasks import end_all

_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")
_D = TypeVar("_D")
_E = TypeVar("_E")


@overload
async def together(one: Awaitable[_A], two: Awaitable[_B], /) -> tuple[_A, _B]: ...
@overload
async def together(
    one: Awaitable[_A], two: Awaitable[_B], three: Awaitable[_C], /
) -> tuple[_A, _B, _C]: ...
@overload
async def together(
    one: Awaitable[_A], two: Awaitable[_B], three: Awaitable[_C], four: Awaitable[_D], /
) -> tuple[_A, _B, _C, _D]: ...
@overload
async def together(
    one: Awaitable[_A],
    two: Awaitable[_B],
    three: Awaitable[_C],
    four: Awaitable[_D],
    five: Awaitable[_E],
    /,
) -> tuple[_A, _B, _C, _D, _E]: ...
@overload
async def together(*work: Awaitable[_A]) -> tuple[_A, ...]: ...


async def together(*work: Awaitable[Any]) -> tuple[Any, ...]:
    """Run all at the same time; returns their results in the order given.

    Raises the first error, in that order, once all have ended, so no task is left running.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    await asyncio.gather(*tasks, return_exceptions=True)
    return tuple(task.result() for task in tasks)


async def for_each(ask: Callable[[_B], Awaitable[_A]], items: Iterable[_B]) -> tuple[_A, ...]:
    """What `ask` returns for each item, all at the same time.

    Its coroutines are made once this runs. So it may itself be given to `together`, and leaves no
    coroutine behind if it is cancelled before that.
    """
    return await together(*map(ask, items))


async def first_answer(
    ask: Callable[[], Coroutine[Any, Any, _A]], *, again_s: float, seconds: float
) -> _A:
    """Ask again every `again_s` seconds, and return what the first of the requests returns.

    No request is started at the end of the `seconds` after which the first one gives up.
    """
    until = time.monotonic() + seconds
    asked: list[asyncio.Task[_A]] = []
    try:
        while True:
            asked.append(asyncio.create_task(ask()))
            left = until - time.monotonic()
            await asyncio.wait(
                asked,
                timeout=again_s if left > again_s else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in asked:
                if task.done():
                    return task.result()
    finally:
        await end_all(asked)
