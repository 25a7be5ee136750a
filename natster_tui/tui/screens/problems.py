"""What is not well: who projects, what is parked and why, hazards, and what went wrong."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.workspace import Workspace
from natster_tui.tui.clock import full_time


def problems_text(workspace: Workspace) -> Text:
    """The page that `e` shows. Whatever came from outside in it is made safe already."""
    text = Text()
    text.append("Projectors\n", "bold")
    for projector in workspace.projectors.values():
        name = projector.projection.name
        problem = projector.status.problem or "no problem"
        text.append(f"  {name}: {projector.status.phase.value}, {problem}\n")
        text.append(f"    {_holder_line(workspace, name)}\n", "dim")
    text.append("\nParked events\n", "bold")
    for projector in workspace.projectors.values():
        _append_parked(text, projector)
    if not any(projector.status.parked.count for projector in workspace.projectors.values()):
        text.append("  none\n")
    text.append("\nHazards of the log\n", "bold")
    for hazard in workspace.hazards or ("none known",):
        text.append(f"  {hazard}\n")
    text.append("\nWhat went wrong so far\n", "bold")
    for reported in reversed(workspace.problems):
        text.append(f"  {full_time(int(reported.at))}  {reported.sentence}\n")
    if not workspace.problems:
        text.append("  nothing\n")
    return text


def _holder_line(workspace: Workspace, name: str) -> str:
    """Which process holds the lease of a projection, and since when."""
    lease = workspace.leases[name]
    if lease.holder is None:
        return "no process holds its lease"
    if lease.holder == lease.me:
        return "this dashboard holds its lease"
    since = full_time(lease.holder.since) if lease.holder.since else "an unknown time"
    return f"its lease is held by {lease.holder.described}, since {since}"


def _append_parked(text: Text, projector: Projector) -> None:
    """How many events a projection parked, by reason; of many, of the last hundred."""
    parked = projector.status.parked
    if not parked.count:
        return
    of_recent = "" if parked.count == len(parked.recent) else ", the reasons of the last 100"
    text.append(f"  {projector.projection.name}: {parked.count:,}{of_recent}\n")
    for reason, count in Counter(each.reason for each in parked.recent).most_common():
        last = max(each.seq for each in parked.recent if each.reason is reason)
        text.append(f"    {count:>5,}  {reason.value:<13} last {last:,}: {reason.explanation}\n")
