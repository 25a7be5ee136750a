"""The problems page: who projects, what is parked and why, hazards, and earlier problems."""

from __future__ import annotations

from collections import Counter

from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.workspace import Workspace
from natster_tui.tui.clock import full_time
from natster_tui.tui.keys.keymap import Keymap
from natster_tui.tui.places.place import EventPlace, ProjectorPlace
from natster_tui.tui.sheets.lease_sentences import held_since, lease_line
from natster_tui.tui.widgets.dialogs.page import Lines, PageLine

_LISTED = 5
"""Parked events that are named, of each reason."""


def problems_page(workspace: Workspace, keymap: Keymap) -> list[PageLine]:
    """The lines of the page; text from outside in them is safe already."""
    page, lists = Lines(), keymap.hint("timeline.parked")
    page.add("Projectors", "bold")
    for projector in workspace.projectors.values():
        name = projector.projection.name
        problem = projector.status.problem or "no problem"
        page.link(
            name,
            ProjectorPlace(name),
            before="  ",
            after=f": {projector.status.phase.value}, {problem}",
        )
        page.add(f"    {_holder_line(workspace, name)}", "dim")
        _add_other_program(page, projector)
    page.add()
    page.add("Parked events", "bold")
    for projector in workspace.projectors.values():
        _add_parked(page, projector, lists)
    if not any(projector.status.parked.count for projector in workspace.projectors.values()):
        page.add("  none")
    page.add()
    page.add("Hazards of the log", "bold")
    for hazard in workspace.hazards or ("none known",):
        page.add(f"  {hazard}")
    page.add()
    page.add("What went wrong so far", "bold")
    for reported in reversed(workspace.problems):
        page.add(f"  {full_time(int(reported.at))}  {reported.sentence}")
    if not workspace.problems:
        page.add("  nothing")
    return page.lines


def _holder_line(workspace: Workspace, name: str) -> str:
    """Which process holds the lease of a projection, and since when."""
    lease, read_only = workspace.leases.get(name), workspace.read_only
    line, since = lease_line(lease, read_only=read_only), held_since(lease, read_only=read_only)
    return f"lease {line}, since {since}" if since else f"lease {line}"


def _add_other_program(page: Lines, projector: Projector) -> None:
    """Another program's consumer, and what it stored, where the bucket is that program's."""
    other, drift = projector.status.other, projector.status.drift
    if other is not None:
        page.add(f"    another program's consumer {other.name}: {other.figures}")
        if other.stuck_at:
            page.link(f"event {other.stuck_at:,}", EventPlace(other.stuck_at), before="      ")
    if drift is not None:
        page.add(f"    what it stored: {drift.summary}")


def _add_parked(page: Lines, projector: Projector, lists: str) -> None:
    """How many events a projection parked, by reason; of many, of the last hundred.

    `lists` is the key that lists all of them.
    """
    parked = projector.status.parked
    if not parked.count:
        return
    of_recent = "" if parked.count == len(parked.recent) else ", the reasons of the last 100"
    page.add(f"  {projector.projection.name}: {parked.count:,}{of_recent}")
    for reason, count in Counter(each.reason for each in parked.recent).most_common():
        seqs = sorted((each.seq for each in parked.recent if each.reason is reason), reverse=True)
        page.add(f"    {count:,}  {reason.value}: {reason.explanation}")
        for seq in seqs[:_LISTED]:
            page.link(f"event {seq:,}", EventPlace(seq), before="           ")
        if len(seqs) > _LISTED:
            more = f"{len(seqs) - _LISTED:,} more"
            page.add(f"           and {more}: {lists} lists them in the timeline")
