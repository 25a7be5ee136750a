"""How our key-value buckets are set up (DESIGN section 4, "Our buckets")."""

from __future__ import annotations


def bucket_config(name: str, description: str, replicas: int) -> dict[str, object]:
    """The stream behind a bucket of ours: one value a key, on disk, and no limit that forgets."""
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
