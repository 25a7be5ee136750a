"""The log's stream as the server describes it: its identity, extent and settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogInfo:
    """The log's identity, extent and settings.

    `created` is the stream's creation time (RFC 3339) and part of its identity. Limits that are
    not set are 0. `sealing` is the log's own `natster-sealing` metadata, or None. `start` is the
    sequence that the stream was made to begin with.
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
    """The stream time of the newest event as the server writes it; empty if unknown."""
    start: int = 1
    retention: str = "limits"
    storage: str = "file"
    allow_msg_ttl: bool = False
    allow_rollup_hdrs: bool = False
    persist_mode: str = ""
    no_ack: bool = False
    is_mirror: bool = False
    is_sealed_stream: bool = False
    """Whether the stream's setting `sealed` is on: nothing can be added or removed."""
    in_cluster: bool = False
    duplicate_window_s: float = 120
    discard_new_per_subject: bool = False
    """Whether a subject that holds `max_msgs_per_subject` events takes no more of them."""
    transform: str = ""
    """The setting that stores events under other subjects than they are published on."""
    takes_all_events: bool = True
    """Whether its subjects cover all that events are published on."""
    subjects: tuple[str, ...] = ()
    """The subjects that the stream takes now, with wildcards; empty for a mirror."""

    @property
    def lost_at_start(self) -> int:
        """How many events were removed from the beginning."""
        return max(0, self.first_seq - self.start) if self.last_seq >= self.start else 0

    @property
    def lost(self) -> int:
        """How many events that once were in the log are missing from it."""
        return self.deleted + self.lost_at_start
