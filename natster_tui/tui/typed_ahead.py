"""Handling keys one after another, even if they arrive faster than they are answered.

Textual sends a key to the widget that has the focus when the key arrives, and looks for its binding
only later. If `/type:shared` arrives in one piece, the letters would go to the timeline before the
slash has opened the prompt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App
from textual.widgets import Input

from natster_tui.tui.widgets.text_field import AskingField, Field


class TypedAhead:
    """A queue of keys, each of which waits until the previous one is answered.

    `pass_on` handles an event in Textual's own way, if it is neither typed into a field nor bound.
    """

    def __init__(self, app: App[Any], pass_on: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._pass_on = pass_on
        self._waiting: deque[events.Event] = deque()

    async def add(self, event: events.Event) -> None:
        """Answer a key as soon as those before it are answered."""
        self._waiting.append(event)
        await self.answer()

    async def answer(self) -> None:
        """Answer the keys in order, up to an Enter whose text was not handled yet."""
        while self._waiting:
            focused = self._app.focused
            if isinstance(focused, AskingField) and focused.is_answering:
                return
            await self._answer(self._waiting.popleft())

    async def _answer(self, event: events.Event) -> None:
        focused = self._app.focused
        if (
            isinstance(event, events.Key | events.Paste)
            and isinstance(focused, Field)
            and focused.take(event)
        ):
            return
        if isinstance(event, events.Key) and (
            isinstance(focused, Field) or not isinstance(focused, Input)
        ):
            active = self._app.screen.active_bindings.get(event.key)
            if active is not None:
                await self._app.run_action(active.binding.action, active.node)
                return
        await self._pass_on(event)
