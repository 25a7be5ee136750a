"""Settings with which a bucket loses entries, or keeps old ones."""

from __future__ import annotations

from natster_tui.events.log.hazards import Hazard, bucket_forgets, bucket_history
from natster_tui.store.connection.answers.streams import StreamConfig
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import find_stream


def lossy_setting(config: StreamConfig) -> str:
    """The setting that makes a bucket lose entries; empty if there is none."""
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


def bucket_hazards(bucket: str, config: StreamConfig) -> tuple[Hazard, ...]:
    """The dangerous setting of a projection's bucket; empty if there is none."""
    hazards = []
    if setting := lossy_setting(config):
        hazards.append(bucket_forgets(bucket, setting))
    elif config.subject_delete_marker_ttl:
        seconds = config.subject_delete_marker_ttl / 1e9
        hazards.append(bucket_forgets(bucket, f"subject_delete_marker_ttl {seconds:,g} s"))
    if config.max_msgs_per_subject != 1:
        hazards.append(bucket_history(bucket, config.max_msgs_per_subject))
    return tuple(hazards)


async def read_bucket_hazards(link: Link, bucket: str) -> tuple[Hazard, ...] | None:
    """The dangerous setting of a bucket on the server; None if the bucket does not exist."""
    info = await find_stream(link, f"KV_{bucket}")
    return None if info is None else bucket_hazards(bucket, info.config)
