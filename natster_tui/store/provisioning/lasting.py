"""Whether a bucket keeps what is written to it."""

from __future__ import annotations

from natster_tui.store.connection.answers.streams import StreamConfig


def why_it_forgets(config: StreamConfig) -> str:
    """The setting because of which a bucket loses what it holds; empty if there is none."""
    if config.storage != "file":
        return f"storage {config.storage}"
    if config.max_age:
        return f"max_age {config.max_age / 1e9:,g} s"
    if config.retention != "limits":
        return f"retention {config.retention}"
    if config.discard != "new":
        if config.max_bytes:
            return f"max_bytes {config.max_bytes:,} with discard {config.discard}"
        if config.max_msgs:
            return f"max_msgs {config.max_msgs:,} with discard {config.discard}"
    return ""
