"""Textual's driver for the terminal, extended: it reports key presses at once.

A thread of its own reads keys, and they reach the application some turns of the event loop later.
While the application is busy, these turns take long.

The driver also asks the terminal itself for its size, on any standard stream that is a terminal.
Textual asks the standard output, and prefers COLUMNS and LINES to that.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

from textual import events
from textual.driver import Driver
from textual.message import Message


def terminal_driver(driver: type[Driver], pressed: Callable[[], None]) -> type[Driver]:
    """The driver, extended; it calls `pressed` from its own thread for every key."""
    if os.name == "posix":
        # Imported here, because Textual's driver for Unix can be imported there only.
        from natster_tui.tui.terminal.job_control import with_job_control

        driver = with_job_control(driver)

    class TerminalDriver(driver):  # type: ignore[misc, valid-type] # the platform decides which
        def send_message(self, message: Message) -> None:
            """See `Driver.send_message`."""
            if isinstance(message, events.Key | events.MouseEvent | events.Paste):
                pressed()
            super().send_message(message)

        def _get_terminal_size(self) -> tuple[int, int]:
            size = terminal_size()
            found: tuple[int, int] = super()._get_terminal_size() if size is None else size
            return found

    return TerminalDriver


def terminal_size() -> tuple[int, int] | None:
    """The terminal's own columns and rows; None if no standard stream is a terminal."""
    for stream in (sys.__stderr__, sys.__stdin__, sys.__stdout__):
        if stream is None:
            continue
        with contextlib.suppress(OSError, ValueError):
            size = os.get_terminal_size(stream.fileno())
            if size.columns > 0 and size.lines > 0:
                return size.columns, size.lines
    return None
