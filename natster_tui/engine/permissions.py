"""The permissions that a user needs on a server to observe, to project, and to hold keys.

These are subjects for nats-server's `permissions { publish, subscribe }`. The documentation lists
them for the built-in projections, and `natster-tui help permissions` for those that are in use.
Tests run with no other permissions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from natster_tui.projections.api import Projection
from natster_tui.store.connection.streams import NAMES_VERB
from natster_tui.store.lease import BUCKET as LEASES
from natster_tui.store.sealing.key_bucket import BUCKET as KEYS

INBOX = ("_INBOX.>",)
"""The subjects that every role subscribes to."""


class Role(Enum):
    """The roles; each needs the permissions of those before it, and more."""

    OBSERVER = "observer"
    PROJECTOR = "projector"
    KEY_HOLDER = "key holder"


@dataclass(frozen=True, slots=True)
class Permission:
    """A subject that a role publishes to; `only` says when it is needed, if not always."""

    subject: str
    only: str = ""


Projections = Sequence[Projection[Any]]
"""The projections that are observed or projected."""


def added_by(role: Role, log: str, projections: Projections) -> tuple[Permission, ...]:
    """The permissions that a role needs beyond the role before it; `log` is the stream."""
    match role:
        case Role.OBSERVER:
            return tuple(_observing(log, projections))
        case Role.PROJECTOR:
            return tuple(_projecting(projections))
        case Role.KEY_HOLDER:
            return tuple(_holding_keys())


def configuration(role: Role, log: str, projections: Projections) -> list[str]:
    """The added permissions as a server's configuration, in a block of Markdown code."""
    permissions = added_by(role, log, projections)
    width = max(len(each.subject) for each in permissions) + 2
    lines = []
    for each in permissions:
        subject = f'"{each.subject}"'
        note = f"  # {each.only}" if each.only else ""
        lines.append(f"    {subject:<{width}}{note}".rstrip())
    lines = ["```", "permissions {", "  publish: [", *lines, "  ]"]
    if role is Role.OBSERVER:
        lines.append(f'  subscribe: ["{INBOX[0]}"]')
    return [*lines, "}", "```"]


def with_permissions(page: str, log: str, projections: Projections) -> str:
    """A page of the documentation, with the permissions of each role for these projections."""
    for role in Role:
        begin, end = f"<!-- {role.value} -->\n", f"<!-- /{role.value} -->\n"
        before, _, rest = page.partition(begin)
        lines = "".join(f"{line}\n" for line in configuration(role, log, projections))
        page = f"{before}{begin}{lines}{end}{rest.partition(end)[2]}"
    return page


def _stream(projection: Projection[Any]) -> str:
    return f"KV_{projection.bucket}"


def _reading(stream: str) -> Iterable[Permission]:
    """What reading a stream in order needs: its size, one message, and a consumer."""
    for verb in (
        f"STREAM.INFO.{stream}",
        f"STREAM.MSG.GET.{stream}",
        f"CONSUMER.CREATE.{stream}.>",
        f"CONSUMER.INFO.{stream}.*",
        f"CONSUMER.MSG.NEXT.{stream}.*",
        f"CONSUMER.DELETE.{stream}.*",
    ):
        yield Permission(f"$JS.API.{verb}")


def _observing(log: str, projections: Projections) -> Iterable[Permission]:
    for stream in (log, *(_stream(each) for each in projections)):
        yield from _reading(stream)
    # To see which process projects, and whether there are keys.
    yield Permission(f"$JS.API.CONSUMER.LIST.{log}")
    yield Permission(f"$JS.API.STREAM.MSG.GET.KV_{LEASES}")
    yield Permission(f"$JS.API.STREAM.INFO.KV_{KEYS}")
    yield Permission("$JS.API.INFO", "the limits of the account")
    yield Permission(f"$JS.API.{NAMES_VERB}", "only to find versions beside")


def _projecting(projections: Projections) -> Iterable[Permission]:
    for projection in projections:
        stream = _stream(projection)
        yield Permission(f"$KV.{projection.bucket}.>")
        yield Permission(f"$JS.API.STREAM.CREATE.{stream}")
        if projection.beside:
            yield Permission(f"$JS.API.STREAM.DELETE.{stream}", "only to drop it")
            continue
        yield Permission(f"$JS.API.STREAM.UPDATE.{stream}", "only to take over")
        yield Permission(f"$JS.API.STREAM.PURGE.{stream}", "only to purge and rebuild")
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
