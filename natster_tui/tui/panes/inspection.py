"""What the inspector is about: the row of the pane used last, its change, or its secrets."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from natster_tui.engine.history.document_history import effects_of
from natster_tui.errors import NatsterError
from natster_tui.events.event import Record
from natster_tui.projections.history.steps import Effect
from natster_tui.store.log import EventLog
from natster_tui.tui.background import Work
from natster_tui.tui.panes.inspector import Inspection, Sheet
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.view import View

REVEAL_S = 10.0
_EVERY_S = 0.3
"""While rows run through, nobody reads each of them in full, and its layout costs most of all."""


class Inspecting:
    """`start` runs a worker, `ring` asks for a look soon, `say` tells what went wrong."""

    def __init__(
        self,
        view: View,
        panes: Panes,
        start: Callable[[Work, str], object],
        ring: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._view = view
        self._panes = panes
        self._start = start
        self._ring = ring
        self._say = say
        self._shows_change = False
        self._effects: list[Effect] | str | None = None
        self._asked: tuple[Record | None, EventLog | None] = (None, None)
        """What the effects were asked for: after an erasure the log is opened anew, and the record,
        a little later, is another one."""
        self._reveal_until = 0.0
        self._drawn = 0.0

    @property
    def reveals(self) -> bool:
        """Whether secrets are shown just now."""
        return time.monotonic() < self._reveal_until

    def toggle_reveal(self) -> None:
        """Show secrets for a while, or hide them again."""
        self._reveal_until = 0.0 if self.reveals else time.monotonic() + REVEAL_S
        self._ring()

    def toggle_change(self) -> None:
        """Switch between the timeline's event and what it changed."""
        self.show_change(not self._shows_change)

    def show_change(self, wanted: bool) -> None:
        """Show what the timeline's event changed, or the event."""
        self._shows_change = wanted
        self._panes.used = self._panes.timeline
        self._ring()

    def refresh(self, theme: dict[str, str], *, at_once: bool = False) -> None:
        """Show what it is about now."""
        now = time.monotonic()
        if at_once or not self._panes.timeline.following or now - self._drawn > _EVERY_S:
            self._drawn = now
            shown = self._sheet(Inspection(self._view, theme, reveal=self.reveals))
            if shown is not None:
                self._panes.inspector.put(*shown)

    def _sheet(self, inspection: Inspection) -> tuple[str, Sheet] | None:
        panes = self._panes
        if (chosen := panes.chosen_document) is not None:
            declared = panes.documents[chosen.projection.name].declared
            warnings = declared.warnings(self._view, chosen.key)
            return inspection.document(chosen.projection, chosen.key, warnings)
        if panes.used is panes.projectors and panes.projectors.selected is not None:
            return inspection.projector(panes.projectors.selected)
        seq, record = panes.timeline.selected_seq, panes.record
        if seq is None:
            return None
        if not self._shows_change or record is None:
            return inspection.event(seq, record, self._view.parked_reason)
        asked = (record, self._view.workspace.log)
        if self._asked != asked:
            self._asked, self._effects = asked, None
            self._start(partial(self._read_effects, record), "effects")
        return inspection.change(seq, self._effects)

    async def _read_effects(self, record: Record) -> None:
        log = self._view.workspace.log
        if log is None:
            return
        asked = self._asked
        try:
            effects: list[Effect] | str = await effects_of(
                log, record, self._view.workspace.options.instance, self._view.projections
            )
        except NatsterError as error:
            effects = error.sentence
        if self._asked == asked:
            self._effects = effects
            self._drawn = 0.0
            self._ring()
