"""Why a projector may not write at the moment, as a value, and the sentence for each reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from natster_tui.engine.leases.silent_entry import DEAD_AFTER_LOOKS
from natster_tui.store.lease import BUCKET, Holder

_SILENT_LOOKS = 3
"""After this many reads without a renewal, the sentence says that the entry is not renewed."""


class Cause(Enum):
    """What is waited for."""

    ANSWER = "the server's answer about the lease"
    HOLDER = "the lease, which another process holds"
    OLD_RELEASE = "the lease of release 0.1, which covers the built-in projections"
    REBUILD = "the end of a rebuild in another process"
    RENEWAL = "our own renewal, whose answer is late"
    REFUSED = "a change on the server, which refuses the lease"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a projection waits for.

    `holder` is the other process, None if there is none. `looks` counts how often in a row its
    entry was read without a renewal. `problem` says why the server did not answer, or refused.
    """

    cause: Cause
    projection: str
    holder: Holder | None = None
    looks: int = 0
    problem: str = ""

    @property
    def needs_operator(self) -> bool:
        """Whether waiting alone will not end it."""
        return self.cause is Cause.REFUSED

    @property
    def sentence(self) -> str:
        """For a person."""
        return _sentence(self)


def _sentence(waiting: Waiting) -> str:
    name, holder = waiting.projection, waiting.holder
    if holder is None:
        if waiting.cause is Cause.REFUSED:
            return f"only watching: {waiting.problem}"
        lease = f"the lease of {name} in {BUCKET}"
        if waiting.problem:
            return f"waiting for {lease}: {waiting.problem}"
        if waiting.cause is Cause.RENEWAL:
            return f"waiting for the server to answer the renewal of {lease}"
        return f"waiting for the server's answer about {lease}"
    silent = ""
    if waiting.looks >= _SILENT_LOOKS:
        silent = f"; its entry is not renewed, and is taken over after {DEAD_AFTER_LOOKS} looks"
    match waiting.cause:
        case Cause.REBUILD:
            return f"{name} is being rebuilt ({holder.described}){silent}"
        case Cause.OLD_RELEASE:
            return f"release 0.1 projects all built-in projections ({holder.described}){silent}"
        case _:
            return f"another process projects {name} ({holder.described}){silent}"
