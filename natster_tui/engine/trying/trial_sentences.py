"""The result of a trial in lines of text, for `try` and for the dashboard."""

from __future__ import annotations

from collections.abc import Iterator

from natster_tui.engine.trying.trial import Trial
from natster_tui.projections.documents import read_document
from natster_tui.text.counting import counted
from natster_tui.text.masking import mask_json, screen_text
from natster_tui.text.strict_json import json_line

_MIB = 1024 * 1024
_KEYS_SHOWN = 20


def result_lines(trial: Trial) -> Iterator[str]:
    """The counts, what is parked, and how the documents compare with those that are stored.

    The documents that differ are not listed. If nothing is stored, the first documents are.
    """
    projection, fold = trial.projection, trial.fold
    yield (
        f"{projection.name} version {projection.version}: {counted(len(fold.states), 'document')} "
        f"from {counted(trial.events, 'event')} in {trial.seconds:.2f} s, peak memory "
        f"{trial.peak_bytes / _MIB:,.0f} MiB"
    )
    if fold.parked.count:
        last = fold.parked.recent[-1]
        yield f"parked: {fold.parked.count:,}, the last one {last.seq:,} ({last.reason.value})"
    if trial.diff is None:
        yield f"nothing is stored in {projection.bucket} yet; the first documents:"
        for key in list(fold.states)[:_KEYS_SHOWN]:
            document = read_document(fold.document(key) or b"")
            yield f"  {screen_text(key, 100)} {json_line(mask_json(document))}"
        if len(fold.states) > _KEYS_SHOWN:
            yield f"  … and {len(fold.states) - _KEYS_SHOWN:,} more"
    else:
        version = trial.stored.checkpoint.version if trial.stored.checkpoint else "unknown"
        yield (
            f"compared with version {version} stored at {trial.compared_at:,}: {trial.diff.summary}"
        )
        if trial.needs_version:
            yield (
                f"version {version} is stored with other documents: raise version before you roll "
                "this out"
            )


def second_fold_line(trial: Trial) -> str:
    """Whether a second fold gave the same documents."""
    if trial.second is not None:
        return trial.second.sentence
    return "a second fold (other process, hash seed, batches, clock) gives the same"
