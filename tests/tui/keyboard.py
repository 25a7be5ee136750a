"""Pressing keys in a test."""

from __future__ import annotations

import asyncio

from textual import events
from textual.app import App
from textual.keys import _character_to_key
from textual.pilot import Pilot

_NAMED = {"\r": "enter", "\x1b": "escape"}


def type_at_once(app: App[None], text: str) -> None:
    """Leave keys to be answered."""
    for character in text:
        app.post_message(
            events.Key(_NAMED.get(character) or _character_to_key(character), character)
        )


class Keyboard(Pilot[None]):
    """A pilot that waits until the application has answered the keys, and painted what came."""

    async def press(self, *keys: str) -> None:
        """Press keys. The application answers them itself, so its own turn is waited for."""
        await super().press(*keys)
        await self._answered()

    async def type(self, text: str) -> None:
        """All keys before the first is answered, as they come over a slow line; `\\r` is Enter."""
        type_at_once(self.app, text)
        await self._answered()

    async def _answered(self) -> None:
        answered = asyncio.Event()
        self.app.call_later(answered.set)
        await answered.wait()
        await super().press()
