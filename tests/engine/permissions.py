"""What an observer and a projector may do on a server: the two lists that the README shows.

Subjects as nats-server's `permissions { publish, subscribe }` takes them. Everything not listed
is denied, because a list of what is allowed denies the rest.
"""

from __future__ import annotations

import json

from natster_tui.events.event import STREAM
from natster_tui.projections.registry import PROJECTIONS

_BUCKETS = tuple(f"KV_{projection.bucket}" for projection in PROJECTIONS)
_LEASE = "KV_NATSTER_LEASE"
_KEYS = "KV_NATSTER_KEYS"


def _reading(stream: str) -> list[str]:
    """To read a stream in order: its size, one message, and a consumer of one's own."""
    return [
        f"$JS.API.STREAM.INFO.{stream}",
        f"$JS.API.STREAM.MSG.GET.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}.>",
        f"$JS.API.CONSUMER.INFO.{stream}.*",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*",
        f"$JS.API.CONSUMER.DELETE.{stream}.*",
    ]


_OBSERVER = [
    *_reading(STREAM),
    # The preflight of a rebuild: who else projects, and how many events of each type there are.
    f"$JS.API.CONSUMER.LIST.{STREAM}",
    f"$JS.API.STREAM.MSG.GET.{_LEASE}",  # who projects
    *(subject for bucket in _BUCKETS for subject in _reading(bucket)),
    # Whether anything is sealed with keys that are kept here.
    f"$JS.API.STREAM.INFO.{_KEYS}",
]

_PROJECTOR = [
    *_OBSERVER,
    "$JS.API.INFO",  # only where the account requires sizes of buckets
    *(
        subject
        for bucket in _BUCKETS
        for subject in (
            f"$JS.API.STREAM.CREATE.{bucket}",
            f"$JS.API.STREAM.UPDATE.{bucket}",  # only to take over what another program wrote
            f"$JS.API.STREAM.PURGE.{bucket}",  # only to purge and rebuild
            f"${bucket.replace('_', '.', 1)}.>",
        )
    ),
    f"$JS.API.STREAM.CREATE.{_LEASE}",
    # Only under a domain or prefix, where the account requires sizes, and for the next one.
    f"$JS.API.STREAM.INFO.{_LEASE}",
    f"$JS.API.STREAM.UPDATE.{_LEASE}",  # only where it was made without message TTL
    f"$JS.API.STREAM.MSG.DELETE.{_LEASE}",
    "$KV.NATSTER_LEASE.>",
]

_KEY_HOLDER = [
    *_PROJECTOR,
    f"$JS.API.CONSUMER.CREATE.{_KEYS}.>",
    f"$JS.API.CONSUMER.INFO.{_KEYS}.*",
    f"$JS.API.CONSUMER.MSG.NEXT.{_KEYS}.*",
    f"$JS.API.CONSUMER.DELETE.{_KEYS}.*",
    f"$JS.API.STREAM.MSG.GET.{_KEYS}",  # only where the last keys were erased
    f"$JS.API.STREAM.CREATE.{_KEYS}",
    f"$JS.API.STREAM.MSG.DELETE.{_KEYS}",  # only to erase
    "$KV.NATSTER_KEYS.>",
]

_INBOX = ["_INBOX.>"]

PERMISSIONS: dict[str, dict[str, list[str]]] = {
    "observer": {"publish": _OBSERVER, "subscribe": _INBOX},
    "projector": {"publish": _PROJECTOR, "subscribe": _INBOX},
    "keyholder": {"publish": _KEY_HOLDER, "subscribe": _INBOX},
}


def server_permissions(user: str) -> str:
    """The permissions of a user as nats-server's configuration has them."""
    return _permissions(PERMISSIONS[user]["publish"])


def _permissions(publish: list[str]) -> str:
    def listed(subjects: list[str]) -> str:
        return "".join(f"\n    {json.dumps(subject)}" for subject in subjects)

    return (
        f"permissions {{\n  publish: [{listed(publish)}\n  ]\n"
        f"  subscribe: [{listed(_INBOX)}\n  ]\n}}"
    )


# -- accounts of their own ---------------------------------------------------------------------

API_PREFIX = "natster.API"
"""Where a user in another account asks (`jetstream_api_prefix` of a NATS context)."""


def exports(user: str, to_account: str) -> str:
    """What the log's account exports for `user`, whose account is `to_account`."""
    return "".join(
        f"\n  {{ service: {json.dumps(subject)}, response_type: stream, accounts: [{to_account}] }}"
        for subject in PERMISSIONS[user]["publish"]
    )


def account_of_its_own(user: str, from_account: str) -> str:
    """An account that imports exactly what `user` may do, with that user in it."""
    imports = ""
    names = []
    for subject in PERMISSIONS[user]["publish"]:
        below = subject.removeprefix("$JS.API.")
        names.append(f"{API_PREFIX}.{below}")
        source = f"{{ account: {from_account}, subject: {json.dumps(subject)} }}"
        imports += f"\n  {{ service: {source}, to: {json.dumps(names[-1])} }}"
    login = f"user: {user}, password: {user}, {_permissions(names)}"
    return f"{{ users: [{{ {login} }}], imports: [{imports}\n] }}"
