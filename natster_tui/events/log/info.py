"""What the log is, as the server describes it, and what about it is dangerous.

A log that exists is adopted exactly as it is, and its hazards are shown.
"""

from __future__ import annotations

from dataclasses import dataclass

FULL_PERCENT = 80
"""From this fill level on a full log is announced."""


@dataclass(frozen=True, slots=True)
class LogInfo:
    """The log's identity, extent and settings.

    `created` is the stream's creation time (RFC 3339) and part of its identity. Limits that are
    not set are 0. `sealing` is the log's own `natster-sealing` metadata, or None.
    """

    stream: str
    created: str
    first_seq: int
    last_seq: int
    messages: int
    bytes: int
    deleted: int
    discard: str
    max_bytes: int
    max_msgs: int
    max_msgs_per_subject: int
    max_age_s: float
    deny_delete: bool
    deny_purge: bool
    allow_direct: bool
    replicas: int
    max_msg_size: int
    sealing: str | None
    last_time: str = ""
    """The stream time of the newest event as the server writes it; empty where not known."""

    @property
    def fill_percent(self) -> float:
        """How full the log is against its tightest limit, in percent; 0 without limits."""
        fills = [0.0]
        if self.max_bytes > 0:
            fills.append(self.bytes / self.max_bytes)
        if self.max_msgs > 0:
            fills.append(self.messages / self.max_msgs)
        return max(fills) * 100

    @property
    def has_gaps(self) -> bool:
        """Whether events that once were in the log are missing from it."""
        return self.deleted > 0 or (self.first_seq > 1 and self.last_seq > 0)


def hazards_of(info: LogInfo) -> tuple[str, ...]:
    """The hazards of a log, each as one sentence."""
    hazards = []
    if info.first_seq > 1 and info.last_seq > 0:
        hazards.append(
            f"history was lost: the first event left is {info.first_seq:,}, "
            f"so {info.first_seq - 1:,} are gone"
        )
    if info.deleted > 0:
        hazards.append(f"history was lost: {info.deleted:,} events were deleted from the middle")
    if info.discard == "old":
        full = "a full log will forget its first events"
        limited = info.max_bytes > 0 or info.max_msgs > 0
        hazards.append(f"discard is old: {full if limited else f'once it has a limit, {full}'}")
    if info.max_msgs_per_subject > 0:
        hazards.append(
            f"only the last {info.max_msgs_per_subject:,} events of a subject are kept "
            "(max_msgs_per_subject): what an account repeats forgets what it did before"
        )
    if info.max_age_s > 0:
        hazards.append(f"events older than {info.max_age_s:g} s are forgotten (max_age)")
    missing = [
        name
        for name, denied in (("deny_delete", info.deny_delete), ("deny_purge", info.deny_purge))
        if not denied
    ]
    if missing:
        hazards.append(
            f"{' and '.join(missing)} not set: a client may remove events "
            "(and even these do not stop an administrator from shrinking or deleting the stream)"
        )
    if info.fill_percent > FULL_PERCENT:
        hazards.append(
            f"the log is {info.fill_percent:.0f} % full: raise max_bytes before it "
            f"{'forgets' if info.discard == 'old' else 'refuses'} events"
        )
    return tuple(hazards)
