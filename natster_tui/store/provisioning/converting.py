"""Converting a bucket that another program made, so that commits work and no value expires.

Its size limit stays. A setting that the server cannot change is refused by name, before anything
is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from natster_tui.errors import ApiError, RefusedError
from natster_tui.store.connection.answers.streams import StreamConfig
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import stream_info
from natster_tui.store.provisioning.retention import unfit_setting
from natster_tui.store.provisioning.updating import change_settings

_ENTRY_OVERHEAD = 256
"""Bytes of an entry besides its key and value: batch headers and the server's own overhead."""


def changes_to(config: StreamConfig) -> dict[str, object]:
    """The settings to change, for atomic commits and so that no value is dropped."""
    wanted: dict[str, object] = {
        "allow_atomic": True,
        "discard": "new",
        "retention": "limits",
        "max_age": 0,
        "max_msgs": -1,
        "max_msgs_per_subject": 1,
        "max_msg_size": -1,
        "subject_delete_marker_ttl": 0,
        "no_ack": False,
        "discard_new_per_subject": False,
    }
    return {name: value for name, value in wanted.items() if not _has(config, name, value)}


def _has(config: StreamConfig, name: str, value: object) -> bool:
    present = getattr(config, name)
    # In the server's answers "no limit" is -1, 0 or left out.
    no_limit = value in (-1, 0) and not isinstance(value, bool)
    return present in (-1, 0) if no_limit else present == value


def conversion_obstacle(bucket: str, config: StreamConfig, needed: int) -> str:
    """Why a bucket with these settings cannot be taken over, and the remedy; empty if it can.

    `needed` is how many bytes its entries will take.
    """
    stream = f"KV_{bucket}"
    if config.storage != "file":
        return (
            f"{bucket} cannot be taken over: its storage is {config.storage}, which can be lost, "
            f"and the server cannot change it: delete the stream {stream}, its documents are made "
            "from the log"
        )
    if config.mirror is not None or config.sealed:
        what = "is sealed" if config.sealed else "is a mirror"
        return (
            f"{bucket} cannot be taken over: the stream {stream} {what}, so that nothing can be "
            "written to it: delete it, its documents are made from the log"
        )
    converted = config.model_copy(update=changes_to(config))
    if setting := unfit_setting(bucket, converted):
        return (
            f"{bucket} cannot be taken over: the stream {stream} does not store entries under the "
            f"keys they are written to ({setting}): change that setting, or delete the stream, its "
            "documents are made from the log"
        )
    if 0 < config.max_bytes < needed:
        return (
            f"{bucket} cannot be taken over: it may hold {config.max_bytes:,} bytes (max_bytes), "
            f"and needs about {needed:,}: raise max_bytes of the stream {stream}, then try again"
        )
    return ""


def bytes_needed(bucket: str, sizes: Mapping[str, int], stored: Mapping[str, int]) -> int:
    """About how many bytes a bucket's entries take while it is rewritten, from its values' sizes.

    If a key is already stored, the larger of its two values counts.
    """
    prefix = len(f"$KV.{bucket}.")
    return sum(
        _ENTRY_OVERHEAD + prefix + len(key.encode()) + max(sizes.get(key, 0), stored.get(key, 0))
        for key in sizes.keys() | stored.keys()
    )


async def refuse_unconvertible(link: Link, bucket: str, needed: int) -> None:
    """Raise RefusedError if a bucket's settings keep it from being taken over."""
    info = await stream_info(link, f"KV_{bucket}")
    if why := conversion_obstacle(bucket, info.config, needed):
        raise RefusedError(f"{why}; nothing was written")


async def convert_bucket(link: Link, bucket: str) -> None:
    """Change the settings that need it; raises RefusedError if the server refuses."""
    stream = f"KV_{bucket}"
    changes = changes_to((await stream_info(link, stream)).config)
    if not changes:
        return
    try:
        await change_settings(link, stream, changes)
    except ApiError as error:
        settings = ", ".join(sorted(changes))
        raise RefusedError(
            f"{bucket} cannot be taken over: the server does not change {settings} of the stream "
            f"{stream} ({error.description}): change them yourself, or delete the stream, its "
            "documents are made from the log"
        ) from error
