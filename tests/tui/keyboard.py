"""Pressing keys in a test."""

from __future__ import annotations

import asyncio

from textual.pilot import Pilot


class Keyboard(Pilot[None]):
    """A pilot that waits until the application has answered the keys, and painted what came."""

    async def press(self, *keys: str) -> None:
        """Press keys. The application answers them itself, so its own turn is waited for."""
        await super().press(*keys)
        answered = asyncio.Event()
        self.app.call_later(answered.set)
        await answered.wait()
        await super().press()
