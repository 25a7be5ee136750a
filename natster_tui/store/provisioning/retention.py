"""Settings with which a bucket takes no entries, loses entries, or keeps old ones."""

from __future__ import annotations

from collections.abc import Sequence

from natster_tui.events.log.hazards import Hazard, bucket_forgets, bucket_history, bucket_refuses
from natster_tui.store.connection.answers.streams import StreamConfig
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import find_stream
from natster_tui.store.connection.write_target import accepts
from natster_tui.store.log_config import transform_of
from natster_tui.text.masking import screen_text

ONE_TOKEN = ("*",)
"""The keys of documents, and of their pages."""
MORE_TOKENS = ("*", "*.*.*")
"""The keys of leases and of data keys have one token or more."""


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


def unfit_setting(bucket: str, config: StreamConfig, keys: Sequence[str] = ONE_TOKEN) -> str:
    """The setting with which a bucket takes no entries, or stores them under other keys.

    Empty if there is none. `keys` are patterns of the keys that are written to the bucket. The
    server acknowledges an entry that it stores under another key.
    """
    if config.mirror is not None:
        return "mirror"
    for setting in ("sealed", "no_ack", "discard_new_per_subject"):
        if getattr(config, setting):
            return setting
    if not all(accepts(config.subjects or (), f"$KV.{bucket}.{each}") for each in keys):
        return f"subjects {screen_text(', '.join(config.subjects or ()), 200) or 'none'}"
    return transform_of(config, f"$KV.{bucket}.>")


def bucket_hazards(bucket: str, config: StreamConfig) -> tuple[Hazard, ...]:
    """The dangerous settings of a projection's bucket; empty if there are none."""
    hazards = []
    if setting := unfit_setting(bucket, config):
        hazards.append(bucket_refuses(bucket, setting))
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
