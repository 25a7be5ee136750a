"""Starting work in the background, and showing short notes.

`start` takes a function that makes the coroutine, not the coroutine itself, which a worker that is
cancelled before it starts would never await.
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
    """Run work for as long as its owner lives; it cancels earlier work of its group."""
    given: WorkType[None] = work
    owner.run_worker(given, exclusive=True, group=group)


def notice(owner: Widget | App[Any], sentence: str) -> None:
    """Show a short note, as the answer to a key; the next key ends it."""
    owner.notify(screen_text(sentence), markup=False)


def news(owner: Widget | App[Any], sentence: str) -> None:
    """Show a note that no key asked for; it stays for a while."""
    owner.notify(screen_text(sentence), markup=False, severity="warning")


def end_answers(app: App[Any]) -> None:
    """Remove the notes that answered a key: they have been read, or are out of date."""
    shown = app._notifications
    if shown and all(note.severity == "information" for note in shown):
        app.clear_notifications()
