"""Textual's driver for the terminal, that says at once that a key was pressed.

A key is read in a thread of its own, and comes to the application some turns of the event loop
later: those are what takes long while everything else is busy.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.driver import Driver
from textual.message import Message


def attentive(driver: type[Driver], pressed: Callable[[], None]) -> type[Driver]:
    """The driver that calls `pressed`, from its own thread, with every key."""

    class Attentive(driver):  # type: ignore[misc, valid-type] # which one, the platform decides
        def send_message(self, message: Message) -> None:
            """See `Driver.send_message`."""
            if isinstance(message, events.Key | events.MouseEvent | events.Paste):
                pressed()
            super().send_message(message)

    return Attentive
