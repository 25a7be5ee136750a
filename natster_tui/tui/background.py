"""Work in the background, and short notes about it.

A worker is given the function that makes the coroutine, not the coroutine itself: a worker that
is cancelled before it starts would never await it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.widget import Widget
from textual.worker import WorkType

from natster_tui.text.masking import screen_text

Work = Callable[[], Coroutine[None, None, None]]


def start(owner: DOMNode, work: Work, group: str) -> None:
    """Run something for as long as its owner lives; it ends the one before it in its group."""
    given: WorkType[None] = work
    owner.run_worker(given, exclusive=True, group=group)


def notice(owner: Widget | App[Any], sentence: str) -> None:
    """Show a short note, as the answer to a key; the next key ends it."""
    owner.notify(screen_text(sentence), markup=False)


def news(owner: Widget | App[Any], sentence: str) -> None:
    """Show a note that no key asked for; it stays for a while."""
    owner.notify(screen_text(sentence), markup=False, severity="warning")


def end_answers(app: App[Any]) -> None:
    """End the notes that answered a key: they were read, or do not hold any more. News stay."""
    shown = app._notifications
    if shown and all(note.severity == "information" for note in shown):
        app.clear_notifications()
