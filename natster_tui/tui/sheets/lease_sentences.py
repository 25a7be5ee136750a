"""Which process holds the lease of a projection, and since when, as panes and pages say it."""

from __future__ import annotations

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.leases.waiting import Cause
from natster_tui.tui.clock import full_time


def lease_line(lease: LeaseKeeper | None, *, read_only: bool) -> str:
    """Which process may write the projection; None for a tried one, which no process writes."""
    if lease is None:
        return "not asked for: only tried"
    if read_only:
        return "not asked for: read-only"
    ours = f"held by this dashboard ({lease.me.described})"
    if lease.held:
        return ours
    holder = lease.holder
    held_by = "held by no process" if holder is None else f"held by {holder.described}"
    if lease.gave_up:
        return f"given up, {held_by}"
    if lease.refusal is not None:
        return lease.refusal.sentence
    if not lease.is_decided:
        return "not asked for"
    if holder is not None:
        return held_by
    # It is asked for and no other process was seen: on a busy machine the answer comes late.
    if lease.waiting is not None and lease.waiting.cause is Cause.RENEWAL:
        return f"{ours}, renewal late"
    return "not known: waiting for the server's answer"


def held_since(lease: LeaseKeeper | None, *, read_only: bool) -> str:
    """Since when the holder that `lease_line` names holds it, empty if that is not known."""
    if lease is None or read_only:
        return ""
    if not (lease.held or lease.gave_up or lease.is_decided) or lease.refusal is not None:
        return ""
    holder = lease.holder
    return full_time(holder.since) if holder is not None and holder.since else ""
