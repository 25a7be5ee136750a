"""What a user must be allowed on a server to observe, to project, and to hold keys.

Subjects as nats-server's `permissions { publish, subscribe }` takes them. The documentation lists
them and tests run with nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.lease import BUCKET as LEASES
from natster_tui.store.sealing.key_bucket import BUCKET as KEYS

INBOX = ("_INBOX.>",)
"""What all of them subscribe to."""


class Role(Enum):
    """Each role needs what those before it need, and more."""

    OBSERVER = "observer"
    PROJECTOR = "projector"
    KEY_HOLDER = "key holder"


@dataclass(frozen=True, slots=True)
class Permission:
    """A subject that a role publishes to; `only` says when, if that is not always."""

    subject: str
    only: str = ""


def added_by(role: Role, log: str) -> tuple[Permission, ...]:
    """What a role needs besides the permissions of the role before it; `log` is the stream."""
    match role:
        case Role.OBSERVER:
            return tuple(_observing(log))
        case Role.PROJECTOR:
            return tuple(_projecting())
        case Role.KEY_HOLDER:
            return tuple(_holding_keys())


def needed_by(role: Role, log: str) -> tuple[Permission, ...]:
    """All that a role needs."""
    before = list(Role)[: list(Role).index(role) + 1]
    return tuple(permission for each in before for permission in added_by(each, log))


def _buckets() -> list[str]:
    return [f"KV_{projection.bucket}" for projection in PROJECTIONS]


def _reading(stream: str) -> Iterable[Permission]:
    """To read a stream in order: its size, one message, and a consumer of one's own."""
    for verb in (
        f"STREAM.INFO.{stream}",
        f"STREAM.MSG.GET.{stream}",
        f"CONSUMER.CREATE.{stream}.>",
        f"CONSUMER.INFO.{stream}.*",
        f"CONSUMER.MSG.NEXT.{stream}.*",
        f"CONSUMER.DELETE.{stream}.*",
    ):
        yield Permission(f"$JS.API.{verb}")


def _observing(log: str) -> Iterable[Permission]:
    for stream in (log, *_buckets()):
        yield from _reading(stream)
    # Which other process projects, and whether anything is sealed with keys stored here.
    yield Permission(f"$JS.API.CONSUMER.LIST.{log}")
    yield Permission(f"$JS.API.STREAM.MSG.GET.KV_{LEASES}")
    yield Permission(f"$JS.API.STREAM.INFO.KV_{KEYS}")
    yield Permission("$JS.API.INFO", "the limits of the account")


def _projecting() -> Iterable[Permission]:
    for bucket in _buckets():
        yield Permission(f"${bucket.replace('_', '.', 1)}.>")
        yield Permission(f"$JS.API.STREAM.CREATE.{bucket}")
        yield Permission(f"$JS.API.STREAM.UPDATE.{bucket}", "only to take over")
        yield Permission(f"$JS.API.STREAM.PURGE.{bucket}", "only to purge and rebuild")
    yield Permission(f"$KV.{LEASES}.>")
    yield Permission(f"$JS.API.STREAM.CREATE.KV_{LEASES}")
    # Under a domain or prefix, where the account requires sizes, and before an update.
    yield Permission(f"$JS.API.STREAM.INFO.KV_{LEASES}")
    yield Permission(
        f"$JS.API.STREAM.UPDATE.KV_{LEASES}", "only where it was made without message TTL"
    )
    yield Permission(f"$JS.API.STREAM.MSG.DELETE.KV_{LEASES}")


def _holding_keys() -> Iterable[Permission]:
    for verb in (
        f"CONSUMER.CREATE.KV_{KEYS}.>",
        f"CONSUMER.INFO.KV_{KEYS}.*",
        f"CONSUMER.MSG.NEXT.KV_{KEYS}.*",
        f"CONSUMER.DELETE.KV_{KEYS}.*",
        f"STREAM.MSG.GET.KV_{KEYS}",
        f"STREAM.CREATE.KV_{KEYS}",
    ):
        yield Permission(f"$JS.API.{verb}")
    yield Permission(f"$JS.API.STREAM.MSG.DELETE.KV_{KEYS}", "only to erase")
    yield Permission(f"$KV.{KEYS}.>")
