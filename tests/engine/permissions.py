"""The permissions of observers, projectors and key holders in a server's configuration.

Everything not listed is denied, because a list of what is allowed denies the rest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from natster_tui.engine.permissions import INBOX, Permission, Projections, Role, added_by
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.projections.versions.naming import placed_beside
from tests.engine.versions.activities import FIRST, SECOND


def needed_by(role: Role, log: str, projections: Projections) -> tuple[Permission, ...]:
    """All permissions that a role needs."""
    before = list(Role)[: list(Role).index(role) + 1]
    return tuple(permission for each in before for permission in added_by(each, log, projections))


def _of(role: Role, projections: Sequence[Projection[Any]] = PROJECTIONS) -> dict[str, list[str]]:
    return {
        "publish": [each.subject for each in needed_by(role, NATSTER.stream, projections)],
        "subscribe": list(INBOX),
    }


PERMISSIONS = {
    "observer": _of(Role.OBSERVER),
    "projector": _of(Role.PROJECTOR),
    "keyholder": _of(Role.KEY_HOLDER),
    "beside": _of(Role.PROJECTOR, (FIRST, placed_beside(SECOND))),
}


def server_permissions(user: str) -> str:
    """The permissions of a user as nats-server's configuration has them."""
    return _permissions(PERMISSIONS[user]["publish"])


def _permissions(publish: list[str]) -> str:
    def listed(subjects: list[str]) -> str:
        return "".join(f"\n    {json.dumps(subject)}" for subject in subjects)

    return (
        f"permissions {{\n  publish: [{listed(publish)}\n  ]\n"
        f"  subscribe: [{listed(list(INBOX))}\n  ]\n}}"
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
