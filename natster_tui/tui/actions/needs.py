"""The needs of keys that are met now; the footer leaves out keys that would do nothing."""

from __future__ import annotations

from natster_tui.tui.keys.key import Need
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.places.navigator import Navigator
from natster_tui.tui.view import View


def needs_met(view: View, panes: Panes, navigator: Navigator) -> frozenset[Need]:
    """The needs that are met."""
    there_is = {
        Need.CONNECTION: view.is_connected,
        Need.EVENTS: panes.timeline.row_count > 0,
        Need.ROW: panes.last_used.row_count > 0,
        Need.DOCUMENT: panes.chosen_document is not None,
        Need.NOT_FOLLOWING: not panes.timeline.following,
        Need.NOW: view.moment is None,
        Need.PAST: view.moment is not None,
        Need.NARROWED: any(pane.is_narrowed for pane in panes.documents.values()),
        Need.FILTERED: view.workspace.timeline_filter.matches is not None,
        Need.BEEN_ELSEWHERE: navigator.trail.has_back,
        Need.WENT_BACK: navigator.trail.has_forward,
        Need.VERSIONS: view.workspace.versions.has_any,
        Need.WRITING: not view.workspace.read_only,
    }
    return frozenset(need for need, is_met in there_is.items() if is_met)
