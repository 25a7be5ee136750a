"""The events of the document that is shown, read in the background and kept current."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.widget import Widget

from natster_tui.engine.history.document_story import DocumentStory, read_story
from natster_tui.engine.workspace import NOT_CONNECTED
from natster_tui.errors import NatsterError
from natster_tui.projections.checkpoint import NO_TOMBSTONES
from natster_tui.store.log import EventLog
from natster_tui.tui.background import start
from natster_tui.tui.panes.selection import DocumentSelection
from natster_tui.tui.sheets.shares import History
from natster_tui.tui.view import View

_TAKEN_LIVE = 2_000
"""Up to so many new events are taken from the timeline; beyond that, the log is read."""


class Stories:
    """The story of one document at a time. `owner` runs the reads, `ready` is called after each."""

    def __init__(self, view: View, owner: Widget, ready: Callable[[], None]) -> None:
        self._view = view
        self._owner = owner
        self._ready = ready
        self._of: tuple[object, ...] = ()
        self._story: DocumentStory | None = None
        self._problem = ""
        self._reading = False

    def history_of(self, selection: DocumentSelection) -> History:
        """The document's events that are known; the first call starts reading them."""
        view = self._view
        log, at = view.workspace.log, view.fold(selection.projection.name).seq
        if log is None:
            return History(None, at, f"history: {NOT_CONNECTED}")
        of = _of(log, selection)
        if of != self._of:
            self._of, self._story, self._problem, self._reading = (
                of,
                view.stories.get(of),
                "",
                False,
            )
        if self._problem:
            pass  # what cannot be read now is tried again when the document is shown again
        elif self._story is None:
            tombstones = log.sealing.tombstones or NO_TOMBSTONES
            self._read(log, DocumentStory(selection.projection, selection.key, tombstones), at)
        elif self._story.upto < at and not self._take_live(at):
            self._read(log, self._story, at)
        return History(self._story, at, self._problem, (view.version, view.now() // 60))

    def known_of(self, selection: DocumentSelection) -> DocumentStory | None:
        """What was read of a document's events, by this or another pane; nothing is read."""
        log = self._view.workspace.log
        return None if log is None else self._view.stories.get(_of(log, selection))

    def _take_live(self, at: int) -> bool:
        """Take the newest events from the timeline, if it has all of them loaded."""
        follower, story = self._view.workspace.follower, self._story
        if story is None or self._reading or at - story.upto > _TAKEN_LIVE:
            return False
        if not all(map(follower.is_known, range(story.upto + 1, at + 1))):
            return False
        try:
            for seq in range(story.upto + 1, at + 1):
                record = follower.get(seq)
                event = None if record is None else self._view.parsed(record).event
                if record is not None and event is not None and story.concerns(event):
                    story.add(record, event)
        except NatsterError as error:
            self._problem = error.sentence
        story.upto = max(story.upto, at)
        return True

    def _read(self, log: EventLog, story: DocumentStory, at: int) -> None:
        if not self._reading:
            self._reading = True
            start(self._owner, partial(self._reading_of, log, story, at, self._of), "story")

    async def _reading_of(
        self, log: EventLog, story: DocumentStory, at: int, of: tuple[object, ...]
    ) -> None:
        problem = ""
        try:
            await read_story(log, story, at, self._view.workspace.options.instance)
        except NatsterError as error:
            problem = f"history: {error.sentence}"
        if of == self._of:
            self._reading, self._problem = False, problem
            if not problem or story.happenings:
                self._story = story
                self._view.stories.keep(of, story)
            self._ready()


def _of(log: EventLog, selection: DocumentSelection) -> tuple[object, ...]:
    # The class of a tried projection is another one after each save of its file.
    rule = (selection.projection.name, type(selection.projection))
    return (log.identity, log.sealing.tombstones, rule, selection.key)
