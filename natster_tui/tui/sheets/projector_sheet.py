"""The inspector's page of a projector: position, lease, problems, drift and parked events."""

from __future__ import annotations

from collections.abc import Sequence

from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase, ProjectorStatus
from natster_tui.engine.versions.reporting import VersionReport
from natster_tui.events.parking import ParkedTally
from natster_tui.events.times import age
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.places.place import EventPlace
from natster_tui.tui.sheets.sheet import Formatter, Section, Sheet, Tone

_JUST_NOW_S = 60
_DRIFT_SHOWN = 50
_FOUND = {"added": "missing", "removed": "not in the log", "changed": "differs"}


def projector_sheet(
    projector: Projector,
    lease: str,
    since: str,
    verdict: str,
    failed_s: float,
    formatter: Formatter,
    beside: Sequence[VersionReport],
) -> Sheet:
    """A projector's page.

    `lease` is from `lease_line` and `since` from `held_since`. `verdict` is the last verify's
    result, or empty. The last error is `failed_s` seconds old, and `beside` are the versions that
    are stored beside the projection.
    """
    where = Section("projector")
    _add_state(where, projector.status, failed_s)
    where.add("lease", lease)
    if since:
        where.add("since", since)
    _add_position(where, projector)
    if verdict:
        where.add("last verify", verdict)
    for version in beside:
        key = formatter.keymap.hint("projectors.versions")
        where.add("beside", f"{version.sentence} ({key} compares)")
        for line in version.leases.lines():
            where.add("", line)
    _add_other_program(where, projector.status)
    return Sheet(
        f"Projector {projector.projection.name}", (where, _parked(projector.status.parked))
    )


def _add_state(where: Section, status: ProjectorStatus, failed_s: float) -> None:
    where.add("state", status.phase.value, Tone.STRONG)
    if status.problem:
        where.add("because", status.problem, Tone.WARN)
    if status.last_error and status.phase is not Phase.STOPPED:
        when = "just now" if failed_s < _JUST_NOW_S else f"{age(failed_s)} ago"
        where.add("last error", f"{status.last_error} ({when})", Tone.WARN)


def _add_position(where: Section, projector: Projector) -> None:
    status = projector.status
    rate = counted(round(projector.meter.per_second), "event")
    where.add("folded to", f"{status.position:,}, {rate}/s")
    stored = "no checkpoint of ours" if status.stored is None else f"{status.stored:,}"
    where.add("stored at", f"{stored} in {projector.projection.bucket}")
    where.add("documents", f"{len(projector.fold.states):,}")
    where.add("commits", f"{status.commits:,} here, {status.conflicts:,} conflicts")


def _add_other_program(where: Section, status: ProjectorStatus) -> None:
    """The consumer of another program that writes the bucket, and where its documents differ."""
    if status.other is not None:
        where.add("consumer", f"{status.other.name} of another program: {status.other.figures}")
    if status.drift is not None:
        where.add("drift", status.drift.summary, Tone.WARN)
        for change in status.drift.unexplained.changes[:_DRIFT_SHOWN]:
            where.add("", f"{screen_text(change.key, 100)} {_FOUND[change.kind]}")


def _parked(tally: ParkedTally) -> Section:
    events = Section("parked")
    events.add("parked", counted(tally.count, "event"))
    for event in reversed(tally.recent):
        reason = f"{event.seq:,}  {event.reason.value}: {event.reason.explanation}"
        events.add("", reason, place=EventPlace(event.seq))
    return events
