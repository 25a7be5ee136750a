"""Hazards: settings and facts of a log, or of a projection's bucket, that endanger the data. Pure.

An existing log is used as it is and never changed, so its hazards are shown instead. Programs look
at the kind of a hazard, people at its sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto

from natster_tui.events.log.info import LogInfo
from natster_tui.text.counting import counted, counted_was

FULL_PERCENT = 80
"""From this fill level on, a warning says that the log is nearly full."""


class HazardKind(StrEnum):
    """The kinds of hazards, in the order in which they are shown."""

    HISTORY_LOST = auto()
    EVENTS_DELETED = auto()
    CLEAR_SECRETS = auto()
    RETENTION = auto()
    STORAGE = auto()
    DISCARD = auto()
    SUBJECT_LIMIT = auto()
    MAX_AGE = auto()
    MESSAGE_TTL = auto()
    ROLLUP = auto()
    PERSIST_MODE = auto()
    ONE_REPLICA = auto()
    NO_ACK = auto()
    MIRROR = auto()
    SEALED_STREAM = auto()
    SUBJECT_TRANSFORM = auto()
    SUBJECTS = auto()
    NOT_DENIED = auto()
    NEARLY_FULL = auto()
    REPEATED_ID = auto()
    BUCKET_FORGETS = auto()
    BUCKET_HISTORY = auto()
    BUCKET_REFUSES = auto()
    BUCKET_NO_ROOM = auto()
    OLD_SERVER = auto()
    KEYS = auto()


@dataclass(frozen=True, slots=True)
class Hazard:
    """One hazard: its kind, and a sentence for people."""

    kind: HazardKind
    sentence: str


class Limit(StrEnum):
    """A limit at which no more events are stored, by the name that the server gives it."""

    MAX_BYTES = "max_bytes"
    MAX_MSGS = "max_msgs"
    ACCOUNT_STORAGE = "max_storage"
    """Of the account: all its streams on disk together, with their replicas."""
    ACCOUNT_MEMORY = "max_memory"
    """The same for its streams in memory."""


@dataclass(frozen=True, slots=True)
class Fill:
    """How full the log, or its account, is against one limit."""

    setting: Limit
    used: int
    limit: int

    @property
    def percent(self) -> float:
        """The fill level in percent."""
        return self.used / self.limit * 100


def nearest_limit(info: LogInfo, of_account: Fill | None = None) -> Fill | None:
    """The limit that the log is nearest to; None if it has none.

    `of_account` is how full its account is; None if that has no limit or is not known.
    """
    fills = [
        Fill(setting, used, limit)
        for setting, used, limit in (
            (Limit.MAX_BYTES, info.bytes, info.max_bytes),
            (Limit.MAX_MSGS, info.messages, info.max_msgs),
        )
        if limit > 0
    ]
    if of_account is not None:
        fills.append(of_account)
    return max(fills, key=lambda fill: fill.percent, default=None)


def hazards_of(info: LogInfo, of_account: Fill | None = None) -> tuple[Hazard, ...]:
    """The hazards of a log that its settings, its extent and its account's limit show."""
    return (
        *_losses(info),
        *_retention(info),
        *_expiry(info),
        *_erasing(info),
        *_durability(info),
        *_refusals(info),
        *_filling(info, nearest_limit(info, of_account)),
    )


def repeated_id(count: int, seq: int, earlier: int) -> Hazard:
    """`count` events repeat a message id; the last one, at `seq`, repeats the id of `earlier`."""
    return Hazard(
        HazardKind.REPEATED_ID,
        f"message ids are repeated by {counted(count, 'event')}: the last is {seq:,}, with the id "
        f"of {earlier:,}; it was sent twice, or its writer's ids are not unique",
    )


def old_server(version: str) -> Hazard:
    """A server of this version has no atomic batches."""
    return Hazard(
        HazardKind.OLD_SERVER,
        f"nats-server {version} has no atomic batches (2.12 and later have): watching and "
        "inspecting work, but projecting does not; upgrade the server",
    )


def keys_problem(sentence: str) -> Hazard:
    """Something is wrong with the keys of a sealed log; `sentence` says what."""
    return Hazard(HazardKind.KEYS, sentence)


def clear_secrets(seq: int) -> Hazard:
    """The `context_bound` at `seq` is stored unsealed."""
    return Hazard(
        HazardKind.CLEAR_SECRETS,
        f"secrets are stored in clear text: the context_bound at {seq:,} is not sealed, and every "
        "reader of the stream can read its access token",
    )


def bucket_forgets(bucket: str, setting: str) -> Hazard:
    """A projection's bucket loses, or hides, documents because of a setting."""
    return Hazard(
        HazardKind.BUCKET_FORGETS,
        f"the bucket {bucket} forgets documents ({setting}): change that setting of the stream "
        f"KV_{bucket}, then rebuild",
    )


def bucket_refuses(bucket: str, setting: str) -> Hazard:
    """A projection's bucket takes no documents, or stores them under other keys."""
    return Hazard(
        HazardKind.BUCKET_REFUSES,
        f"nothing can be stored in the bucket {bucket} ({setting}): change that setting of the "
        f"stream KV_{bucket}, or delete the stream, whose documents are made again from the log",
    )


def bucket_history(bucket: str, values: int) -> Hazard:
    """A projection's bucket keeps more than the newest value of a key; -1: without a limit."""
    kept = f"{values:,} values" if values > 0 else "all values"
    return Hazard(
        HazardKind.BUCKET_HISTORY,
        f"the bucket {bucket} keeps {kept} of a key (history): it grows, and earlier versions of "
        f"documents stay readable; set max_msgs_per_subject of the stream KV_{bucket} to 1",
    )


def no_room_for_buckets(buckets: Sequence[str], figures: str) -> Hazard:
    """Buckets are missing, and the account has too little storage; `figures` say how little."""
    return Hazard(
        HazardKind.BUCKET_NO_ROOM,
        f"the account has no room for {' and '.join(buckets)}, not created yet ({figures}): raise "
        "its storage limit, or lower max_bytes of the log's stream, before projecting",
    )


def why_not_publishable(info: LogInfo) -> str:
    """The sentence that says why a log takes no events; empty if it takes them."""
    if info.is_mirror:
        return (
            f"{info.stream} is a mirror, which takes no events itself: publish to the stream that "
            "it mirrors"
        )
    if info.no_ack:
        return (
            f"{info.stream} acknowledges nothing (no_ack), so it cannot be known whether an event "
            "is stored: set no_ack to false on the stream"
        )
    if info.is_sealed_stream:
        return f"{info.stream} is sealed (the stream's setting `sealed`) and takes no more events"
    if info.transform:
        return (
            f"{info.stream} stores events under other subjects than they are published on "
            f"({info.transform}), so that they would be other events: remove that setting from the "
            "stream"
        )
    return ""


def _losses(info: LogInfo) -> Iterator[Hazard]:
    if info.lost_at_start > 0:
        yield Hazard(
            HazardKind.HISTORY_LOST,
            f"history was lost: the first event left is {info.first_seq:,}, "
            f"so {info.lost_at_start:,} are gone",
        )
    if info.deleted > 0:
        yield Hazard(
            HazardKind.EVENTS_DELETED,
            f"history was lost: {counted_was(info.deleted, 'event')} deleted from the middle",
        )


def _retention(info: LogInfo) -> Iterator[Hazard]:
    """Settings that make the log forget events."""
    if info.retention != "limits":
        forgets = (
            "an event is deleted when all its consumers have acknowledged it, or none wants it"
            if info.retention == "interest"
            else "an event is deleted when a consumer has acknowledged it"
        )
        yield Hazard(HazardKind.RETENTION, f"retention is {info.retention}: {forgets}")
    if info.storage != "file":
        yield Hazard(
            HazardKind.STORAGE,
            f"storage is {info.storage}: the log is gone when its server restarts",
        )
    if info.discard == "old":
        full = "a full log will forget its first events"
        limited = info.max_bytes > 0 or info.max_msgs > 0
        yield Hazard(
            HazardKind.DISCARD,
            f"discard is old: {full if limited else f'once it has a limit, {full}'}",
        )


def _expiry(info: LogInfo) -> Iterator[Hazard]:
    """Settings that limit how many events of a subject are kept, or for how long."""
    if info.max_msgs_per_subject > 0:
        kept = counted(info.max_msgs_per_subject, "event")
        refuses = info.discard_new_per_subject and info.discard == "new"
        yield Hazard(
            HazardKind.SUBJECT_LIMIT,
            f"a subject takes no more than {kept} (max_msgs_per_subject with "
            "discard_new_per_subject): an event that an account repeats is refused"
            if refuses
            else f"no more than {kept} of a subject are kept (max_msgs_per_subject): an event that "
            "an account repeats deletes an earlier one",
        )
    if info.max_age_s > 0:
        yield Hazard(
            HazardKind.MAX_AGE, f"events older than {info.max_age_s:g} s are forgotten (max_age)"
        )
    if info.allow_msg_ttl:
        yield Hazard(
            HazardKind.MESSAGE_TTL,
            "allow_msg_ttl is set: an event published with a Nats-TTL header is deleted when "
            "that time is over",
        )


def _erasing(info: LogInfo) -> Iterator[Hazard]:
    """Settings that let a client remove events."""
    if info.allow_rollup_hdrs:
        yield Hazard(
            HazardKind.ROLLUP,
            "allow_rollup_hdrs is set: one message with a Nats-Rollup header can erase the log",
        )
    missing = [
        name
        for name, denied in (("deny_delete", info.deny_delete), ("deny_purge", info.deny_purge))
        if not denied
    ]
    if missing:
        yield Hazard(
            HazardKind.NOT_DENIED,
            f"{' and '.join(missing)} not set: a client may remove events "
            "(and even these do not stop an administrator from shrinking or deleting the stream)",
        )


def _durability(info: LogInfo) -> Iterator[Hazard]:
    if info.persist_mode == "async":
        yield Hazard(
            HazardKind.PERSIST_MODE,
            "persist_mode is async: events that were acknowledged may be lost when a server stops",
        )
    if info.in_cluster and info.replicas <= 1:
        yield Hazard(
            HazardKind.ONE_REPLICA,
            "one replica on a cluster: the log cannot be reached while its server is down, and is "
            "gone with that server's disk; set num_replicas to 3",
        )


def _refusals(info: LogInfo) -> Iterator[Hazard]:
    reason = why_not_publishable(info)
    if reason and info.is_mirror:
        yield Hazard(HazardKind.MIRROR, reason)
    elif reason and info.no_ack:
        yield Hazard(HazardKind.NO_ACK, reason)
    elif reason and info.is_sealed_stream:
        yield Hazard(HazardKind.SEALED_STREAM, reason)
    elif reason:
        yield Hazard(HazardKind.SUBJECT_TRANSFORM, reason)
    elif not info.takes_all_events:
        subjects = ", ".join(info.subjects) or "none"
        yield Hazard(
            HazardKind.SUBJECTS,
            f"{info.stream} does not take all events (its subjects: {subjects}): those that it "
            "does not take cannot be published",
        )


def _filling(info: LogInfo, fill: Fill | None) -> Iterator[Hazard]:
    if fill is None or fill.percent <= FULL_PERCENT:
        return
    end = f"before it {'forgets' if info.discard == 'old' else 'refuses'} events"
    match fill.setting:
        case Limit.MAX_BYTES | Limit.MAX_MSGS:
            what, remedy = "log", f"raise {fill.setting} {end}"
        case Limit.ACCOUNT_STORAGE | Limit.ACCOUNT_MEMORY:
            what, remedy = (
                "account",
                f"raise {fill.setting} of the account before it refuses events",
            )
    yield Hazard(
        HazardKind.NEARLY_FULL,
        f"the {what} is {fill.percent:.0f} % full ({fill.setting} {fill.limit:,}): {remedy}",
    )
