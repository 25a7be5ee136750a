"""The settings of our key-value buckets."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum

BESIDE_MARK = "natster-beside"
"""In a stream's metadata: the bucket that this one is stored beside. Only such buckets are ever
deleted."""


class Kind(Enum):
    """What a bucket is for, as its description says it."""

    LEASE = "Natster leases"
    KEYS = "Natster data keys, wrapped"
    PROJECTION = "Natster projection"


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """One of our buckets, by name and kind.

    `beside` names the bucket that a version of a projection is stored beside; empty for all others.
    """

    name: str
    kind: Kind
    beside: str = ""

    @property
    def stream(self) -> str:
        """The stream behind it."""
        return f"KV_{self.name}"

    def config(self, replicas: int, max_bytes: int | None = None) -> dict[str, object]:
        """The request that creates it; `max_bytes` None for a bucket without a limit.

        Its first revision is the time in milliseconds, so a bucket that is made again never
        repeats a revision that a stale writer still expects. Only buckets of projections deny
        deletes: the holder of a lease deletes its entry when it leaves, and an erasure deletes
        keys.
        """
        config = bucket_config(self.name, self.kind.value, replicas)
        config.update(
            allow_atomic=True,
            allow_msg_ttl=self.kind is Kind.LEASE,
            deny_delete=self.kind is Kind.PROJECTION,
            first_seq=time.time_ns() // 1_000_000,
        )
        if max_bytes is not None:
            config["max_bytes"] = max_bytes
        if self.beside:
            config["metadata"] = {BESIDE_MARK: self.beside}
        return config


def bucket_config(name: str, description: str, replicas: int) -> dict[str, object]:
    """The stream of a bucket: one value per key, on disk, and no limit that drops values."""
    return {
        "name": f"KV_{name}",
        "description": description,
        "subjects": [f"$KV.{name}.>"],
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "max_msgs_per_subject": 1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msg_size": -1,
        "max_consumers": -1,
        "num_replicas": replicas,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "deny_purge": False,
    }
