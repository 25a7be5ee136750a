"""A log of any length for a community of any size, the same one for the same numbers.

Subjects are as long as real ones (56 characters an account), payloads as large. Accounts join
first (initialized, most of them bound to a web context, and given the hub's catalog), then share,
import and unshare in the proportions of `natster_tui.demo.community`. That one tells a
better story, and is too slow to tell millions of events of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.projections.account import CONTEXT_FIELDS

HUB_CATALOG = "natsterhub"
_BOUND = 0.7
_CATALOGS_EACH = 2
_REBOUND, _SHARED, _IMPORTED = 0.01, 0.46, 0.81
"""Cumulative shares of what happens once everybody has joined; the rest are unshares."""


@dataclass(frozen=True, slots=True)
class Community:
    """How many events the log holds, and how many accounts take part.

    With `hub` the first account shares one catalog with every other one.
    """

    events: int
    accounts: int
    hub: bool = True
    seed: int = 1

    @property
    def name(self) -> str:
        """What the log is called in a table."""
        return f"{self.events:,} events, {self.accounts:,} accounts"

    def keys(self) -> list[str]:
        """The accounts' keys."""
        return [
            encode_account_key(hashlib.sha256(f"{self.seed} {number}".encode()).digest())
            for number in range(self.accounts)
        ]

    def story(self) -> Iterator[tuple[str, bytes]]:
        """Selection and payload of each event, in order."""
        told = 0
        for told, event in enumerate(self._endless(), 1):
            yield event
            if told == self.events:
                return

    def _endless(self) -> Iterator[tuple[str, bytes]]:
        random = Random(self.seed)
        keys = self.keys()
        for number, key in enumerate(keys):
            yield NATSTER.subject_of(EventType.INITIALIZED, key), _introduction(number, key)
            if random.random() < _BOUND:
                yield (
                    NATSTER.subject_of(EventType.CONTEXT_BOUND, key),
                    _context(random, number, key),
                )
            if self.hub and number:
                yield NATSTER.subject_of(EventType.SHARED, keys[0], key, HUB_CATALOG), b"null"
        shares: list[tuple[int, int, str]] = []
        known: set[tuple[int, int, str]] = set()
        while True:
            chance = random.random()
            if chance < _REBOUND:
                number = random.randrange(len(keys))
                yield (
                    NATSTER.subject_of(EventType.CONTEXT_BOUND, keys[number]),
                    _context(random, number, keys[number]),
                )
            elif chance < _SHARED or not shares:
                owner, other = random.randrange(len(keys)), random.randrange(len(keys))
                share = (owner, other, f"catalog-{owner}-{random.randrange(_CATALOGS_EACH)}")
                if owner == other or share in known:
                    continue
                known.add(share)
                shares.append(share)
                yield (
                    NATSTER.subject_of(EventType.SHARED, keys[owner], keys[other], share[2]),
                    b"null",
                )
            else:
                at = random.randrange(len(shares))
                owner, other, catalog = shares[at]
                if chance < _IMPORTED:
                    yield (
                        NATSTER.subject_of(EventType.IMPORTED, keys[other], keys[owner], catalog),
                        b"null",
                    )
                else:
                    shares[at] = shares[-1]
                    shares.pop()
                    known.discard((owner, other, catalog))
                    yield (
                        NATSTER.subject_of(EventType.UNSHARED, keys[owner], keys[other], catalog),
                        b"null",
                    )


def _introduction(number: int, key: str) -> bytes:
    return json.dumps(
        {"account_id": f"id{number:025}", "account_name": f"Member {number}", "account_key": key}
    ).encode()


def _context(random: Random, number: int, key: str) -> bytes:
    fields = dict.fromkeys(CONTEXT_FIELDS, f"{random.getrandbits(128):032x}")
    fields["account_name"] = f"Member {number}"
    fields["account_public_key"] = key
    fields["creds"] = (
        f"-----BEGIN NATS USER JWT-----\n{random.getrandbits(2000):0500x}\n"
        "------END NATS USER JWT------\n"
    )
    return json.dumps({"oauth_id": f"github|{number}", "bound_context": fields}).encode()
