"""Textual's driver for the terminal, that says at once that a key was pressed.

A key is read in a thread of its own, and comes to the application some turns of the event loop
later: those are what takes long while everything else is busy.

It also asks the terminal itself for its size, on whichever stream is one. Textual asks the
standard output, and believes COLUMNS and LINES before that.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

from textual import events
from textual.driver import Driver
from textual.message import Message

from natster_tui.tui.terminal.job_control import with_job_control


def attentive(driver: type[Driver], pressed: Callable[[], None]) -> type[Driver]:
    """The driver that calls `pressed`, from its own thread, with every key."""
    base = with_job_control(driver)

    class Attentive(base):  # type: ignore[misc, valid-type] # which one, the platform decides
        def send_message(self, message: Message) -> None:
            """See `Driver.send_message`."""
            if isinstance(message, events.Key | events.MouseEvent | events.Paste):
                pressed()
            super().send_message(message)

        def _get_terminal_size(self) -> tuple[int, int]:
            size = terminal_size()
            found: tuple[int, int] = super()._get_terminal_size() if size is None else size
            return found

    return Attentive


def terminal_size() -> tuple[int, int] | None:
    """The terminal's own columns and rows; None when no standard stream is one that knows."""
    for stream in (sys.__stderr__, sys.__stdin__, sys.__stdout__):
        if stream is None:
            continue
        with contextlib.suppress(OSError, ValueError):
            size = os.get_terminal_size(stream.fileno())
            if size.columns > 0 and size.lines > 0:
                return size.columns, size.lines
    return None
