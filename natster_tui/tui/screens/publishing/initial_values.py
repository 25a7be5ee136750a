"""The initial values of the publish form, from the selected row."""

from __future__ import annotations

from natster_tui.events.natster import EventType
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.view import View


def proposal_for(panes: Panes, view: View) -> tuple[EventType, str, str, str]:
    """Kind, origin, target and catalog for the form, from the row that was used last.

    The row's own event can seldom happen again; the likeliest next event is a share.
    """
    if (event := panes.chosen_event) is not None:
        match event.type:
            case EventType.SHARED:
                return EventType.SHARED, event.origin, "", event.catalog
            case EventType.UNSHARED:
                return EventType.SHARED, event.origin, event.target, event.catalog
            case EventType.IMPORTED:
                return EventType.SHARED, event.target, "", event.catalog
            case _:
                return EventType.SHARED, event.origin, "", ""
    chosen = panes.chosen_document
    if chosen is not None and chosen.projection is ACCOUNTS:
        return EventType.SHARED, chosen.key, "", ""
    if chosen is not None and chosen.projection is CATALOGS:
        state = view.catalogs.get(chosen.key)
        return EventType.SHARED, "" if state is None else state.owner, "", chosen.key
    return EventType.SHARED, "", "", ""
