"""What must be confirmed before a rebuild writes, and what it may do then.

This is a pure function of the findings. The dialog and the command present its result.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from natster_tui.errors import BlockedEventError


@dataclass(frozen=True, slots=True)
class HistoryIsIncomplete:
    """The log has lost events, and a rebuild removes their effects from the documents."""

    lost: int


@dataclass(frozen=True, slots=True)
class EndsBeforeEvent:
    """A projection ends before an event that it must not pass, without the later events."""

    projection: str
    error: BlockedEventError


@dataclass(frozen=True, slots=True)
class TakesOver:
    """Buckets that another program wrote become ours."""

    buckets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemovesFirst:
    """Every stored document is removed before the first one is written."""

    documents: int


Risk = HistoryIsIncomplete | EndsBeforeEvent | TakesOver | RemovesFirst


class Answer(Enum):
    """What the user must answer before anything is written."""

    NONE = "nothing would change but the checkpoint"
    YES = "that the changes shown are to be written"
    NAMES = "the projections' names, typed"


class Refusal(Enum):
    """Why nothing can be written, whatever is answered."""

    READ_ONLY = "--read-only was given"
    NOT_ASKED_FOR = "taking over must be asked for explicitly"
    NEEDS_OPERATOR = "a risk that must be confirmed by a person, and none is asked"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a rebuild may do beyond writing the differences.

    `purge`: remove every entry first. `take_over`: make another program's buckets ours. `partial`:
    end a projection before an event that it must not pass.
    """

    purge: bool = False
    take_over: bool = False
    partial: bool = False


DIFFERENCES_ONLY = Consent()
"""Consent to write the differences to our own buckets, and no more."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    `take_over` says that taking over was requested, `can_ask` that a user can answer questions.
    """

    purge: bool = False
    take_over: bool = False
    can_ask: bool = True
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known about a rebuild, after its preflight or after its replay.

    `lost` counts the events that are missing from the log, `foreign` names the buckets that
    another program wrote, `stored` counts the stored documents, and `changes` those that differ.
    """

    lost: int = 0
    blocked: tuple[EndsBeforeEvent, ...] = ()
    foreign: tuple[str, ...] = ()
    stored: int = 0
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Confirm:
    """Write once the user has given `answer`, which gives this `consent`."""

    answer: Answer
    risks: tuple[Risk, ...]
    consent: Consent


@dataclass(frozen=True, slots=True)
class Refuse:
    """Write nothing. `risks` are those that prevent it."""

    reason: Refusal
    risks: tuple[Risk, ...] = ()


Decision = Confirm | Refuse


def decide(request: Request, found: Findings) -> Decision:
    """What must be confirmed before writing, or why nothing is written."""
    if request.read_only:
        return Refuse(Refusal.READ_ONLY)
    history: list[Risk] = []
    if found.lost:
        history.append(HistoryIsIncomplete(found.lost))
    history += found.blocked
    if history and not request.can_ask:
        # No flag confirms these, because what would be lost differs from log to log.
        return Refuse(Refusal.NEEDS_OPERATOR, tuple(history))
    asked_for: list[Risk] = []
    if found.foreign:
        asked_for.append(TakesOver(found.foreign))
        if not request.take_over:
            return Refuse(Refusal.NOT_ASKED_FOR, tuple(asked_for))
    if request.purge:
        asked_for.append(RemovesFirst(found.stored))
    risks = (*history, *asked_for)
    consent = Consent(request.purge, bool(found.foreign), bool(found.blocked))
    if risks:
        return Confirm(Answer.NAMES, risks, consent)
    return Confirm(Answer.YES if found.changes else Answer.NONE, (), consent)
