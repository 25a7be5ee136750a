"""What `rebuild` and `verify` print with `--json`."""

from __future__ import annotations

from typing import Any

from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.projections.wording import change_line
from natster_tui.text.masking import mask_text


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """What verifying a projection found."""
    return {
        "projection": verdict.projection.name,
        "seq": verdict.seq,
        "keys": verdict.diff.keys,
        "match": verdict.good,
        "standing": verdict.standing.value,
        "drift": [{"key": mask_text(change.key), "kind": change.kind} for change in verdict.listed],
        "explained": 0 if verdict.drift is None else verdict.drift.explained,
    }


def plan_json(plan: PlannedRebuild) -> dict[str, Any]:
    """What a rebuild would change of a projection."""
    return {
        "projection": plan.projection.name,
        "seq": plan.seq,
        "keys": plan.diff.keys,
        "standing": plan.stored.standing.value,
        "changes": [
            {
                "key": mask_text(change.key),
                "kind": change.kind,
                "fields": [change_line(field) for field in change.fields()],
            }
            for change in plan.diff.changes
        ],
        "explained": 0 if plan.drift is None else plan.drift.explained,
        "unexplained": None
        if plan.drift is None
        else [mask_text(change.key) for change in plan.drift.unexplained.changes],
    }
