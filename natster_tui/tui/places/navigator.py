"""Going to a place, and back and forward through the places before."""

from __future__ import annotations

from itertools import groupby

from natster_tui.engine.log.sequence_at import sequence_at
from natster_tui.errors import NatsterError
from natster_tui.tui.clock import full_time
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.panes.selection import DocumentSelection, EventSelection, ProjectorSelection
from natster_tui.tui.places.lookup import Unreachable
from natster_tui.tui.places.place import (
    DocumentPlace,
    EventPlace,
    Place,
    ProjectorPlace,
    place_name,
)
from natster_tui.tui.places.trail import Trail
from natster_tui.tui.view import View
from natster_tui.tui.widgets.travel_banner import TravelBanner
from natster_tui.tui.widgets.virtual_list import VirtualList

_SHOWN = 4
"""Places of the path that are shown."""
BEFORE_ALL = EventPlace(0)
"""The moment before the first event. It can be travelled to; there is no row for it."""


class Navigator:
    """Shows places in `panes`, and remembers the way; `traveller` shows other moments."""

    def __init__(self, view: View, panes: Panes, traveller: TravelBanner) -> None:
        self._view = view
        self._panes = panes
        self._traveller = traveller
        self.trail = Trail()

    @property
    def here(self) -> Place | None:
        """The place of the selected row."""
        match self._panes.selection:
            case EventSelection(seq, _):
                return EventPlace(seq)
            case DocumentSelection(projection, key):
                return DocumentPlace(projection.name, key)
            case ProjectorSelection(projector):
                return ProjectorPlace(projector.projection.name)
            case None:
                return None

    @property
    def path(self) -> str:
        """The last places that were gone to, empty if there are none."""
        places, names = self.trail.path(_SHOWN), self._view.names
        if not places:
            return ""
        walked = (*places[:-1], self.here or places[-1])
        # If the cursor is back on the previous place's row, that place is named once.
        return " > ".join(place_name(place, names) for place, _ in groupby(walked))

    def open(self, place: Place, *, travelling: bool = False, stay: bool = False) -> None:
        """Go to a place, and remember the way; `stay` leaves the keyboard where it is.

        If a document is selected, travelling stays there and shows it as of the moment.
        """
        if isinstance(place, EventPlace) and (travelling or place == BEFORE_ALL):
            self._traveller.go(place.seq)
            if self._panes.chosen_document is not None:
                return
        if place != BEFORE_ALL:
            self.trail.visit(self.here, place)
            self._show(place, stay=stay)

    def open_page(self, place: DocumentPlace) -> None:
        """Go to a document, and to its page if the layout shows one pane at a time."""
        self.open(place)
        screen, pane = self._panes.inspector.screen, self._pane_of(place)
        if screen.has_class("-narrow") or screen.has_class("zoomed"):
            # The pane loses the focus before it has narrowed the others itself.
            self._panes.narrow_by(pane)
            self._panes.show_inspector()

    def back(self) -> None:
        """Go to the place before."""
        if (place := self.trail.back(self.here)) is not None:
            self._show(place, stay=self._is_inspecting)

    def forward(self) -> None:
        """Undo `back`."""
        if (place := self.trail.forward(self.here)) is not None:
            self._show(place, stay=self._is_inspecting)

    @property
    def _is_inspecting(self) -> bool:
        inspector = self._panes.inspector
        return inspector.screen.focused is inspector

    async def event_at(self, seconds: int, *, travelling: bool) -> EventPlace | Unreachable:
        """The last event up to a time in unix seconds."""
        workspace = self._view.workspace
        try:
            seq = await sequence_at(workspace.opened_log, seconds, workspace.options.instance)
        except NatsterError as error:
            return Unreachable(error.sentence)
        if seq >= workspace.follower.first:
            return EventPlace(seq)
        if travelling or self._traveller.is_travelling:
            return BEFORE_ALL
        key = self._view.keymap.hint("go_to.travel")
        return Unreachable(
            f"no event had happened by {full_time(seconds)}; {key} travels to before everything"
        )

    def _show(self, place: Place, *, stay: bool) -> None:
        panes, pane = self._panes, self._pane_of(place)
        match place:
            case EventPlace(seq):
                self._show_event(seq)
            case DocumentPlace(projection, key):
                panes.documents[projection].reveal(key)
            case ProjectorPlace(projection):
                panes.projectors.select(projection)
        panes.last_used = pane
        if not stay:
            panes.mark_in_use(pane)
            panes.focus(pane)

    def _pane_of(self, place: Place) -> VirtualList:
        match place:
            case EventPlace():
                return self._panes.timeline
            case DocumentPlace(projection, _):
                return self._panes.documents[projection]
            case ProjectorPlace():
                return self._panes.projectors

    def _show_event(self, seq: int) -> None:
        workspace = self._view.workspace
        filtered = workspace.timeline_filter.shown
        if filtered is not None and not filtered.has(seq):
            workspace.timeline_filter.set(None)
        self._panes.timeline.jump_to(seq)
