"""The sentences for what must be confirmed before a rebuild, and for why it is refused."""

from __future__ import annotations

from natster_tui.engine.rebuilding.confirming import (
    EndsBeforeEvent,
    HistoryIsIncomplete,
    Refusal,
    Refuse,
    RemovesFirst,
    Risk,
    TakesOver,
)
from natster_tui.errors import BlockedEventError, NatsterError, RefusedError
from natster_tui.text.counting import counted, counted_is


def risk_sentence(risk: Risk) -> str:
    """What the risk is, in a sentence for the person who decides."""
    match risk:
        case HistoryIsIncomplete():
            return incomplete_history(risk.lost)
        case EndsBeforeEvent():
            return f"{risk.error.sentence}; going on ends the projection before that event"
        case TakesOver():
            return f"{_written_by_another(risk)}: going on takes it over"
        case RemovesFirst():
            return f"every stored document is removed first: {counted(risk.documents, 'document')}"


def incomplete_history(lost: int) -> str:
    """The sentence for events that are missing from the log, and what a rebuild would lose."""
    events = counted_is(lost, "event")
    return f"the history is incomplete ({events} missing): a rebuild would forget what they did"


def refusal(refuse: Refuse) -> NatsterError:
    """The error for a rebuild that may not write."""
    match refuse.reason:
        case Refusal.READ_ONLY:
            return RefusedError("--read-only: only rebuild --dry-run is possible")
        case Refusal.NOT_ASKED_FOR:
            theirs = [_written_by_another(r) for r in refuse.risks if isinstance(r, TakesOver)]
            return RefusedError(f"{'; '.join(theirs)}: add --take-over to take it over")
        case Refusal.NEEDS_OPERATOR:
            return _needs_operator(refuse.risks)


def _needs_operator(risks: tuple[Risk, ...]) -> NatsterError:
    sentences = [
        risk.error.sentence if isinstance(risk, EndsBeforeEvent) else risk_sentence(risk)
        for risk in risks
    ]
    sentence = "; ".join(dict.fromkeys(sentences))
    for risk in risks:
        if isinstance(risk, EndsBeforeEvent):
            return type(risk.error)(sentence, risk.error.seq)
    return RefusedError(sentence)


def _written_by_another(risk: TakesOver) -> str:
    return f"{' and '.join(risk.buckets)} was written by another program"


def nothing_written(error: BlockedEventError) -> BlockedEventError:
    """The same error, which adds that nothing was written."""
    return type(error)(f"{error.sentence}; nothing was written", error.seq)
