"""The configuration of the log's stream: how we create it, and how we read an existing one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from natster_tui.events.log.info import LogInfo
from natster_tui.events.system import EventSystem
from natster_tui.store.connection.answers.streams import StreamConfig, StreamInfoAnswer
from natster_tui.store.connection.write_target import accepts, overlap
from natster_tui.text.masking import screen_text

_Count = Annotated[int, Field(ge=0, lt=10**18)]
_DUPLICATE_WINDOW_S = 120


class LogSettings(BaseModel):
    """The settings of a new log.

    `replicas` None means three if the cluster has three nodes or more, else one.
    `duplicate_window_s` is in seconds, and `max_bytes` -1 is no limit.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    discard: Literal["new", "old"] = "new"
    deny_delete: bool = True
    deny_purge: bool = True
    allow_direct: bool = True
    duplicate_window_s: _Count = _DUPLICATE_WINDOW_S
    replicas: _Count | None = None
    max_bytes: Annotated[int, Field(ge=-1, lt=10**18)] = 1024**3
    sealing: Literal["on", "off"] = "off"


def stream_config(system: EventSystem, settings: LogSettings, replicas: int) -> dict[str, object]:
    """The request that creates the stream."""
    return {
        "name": system.stream,
        "description": "Natster event log",
        "subjects": [system.subjects],
        "retention": "limits",
        "storage": "file",
        "discard": settings.discard,
        "deny_delete": settings.deny_delete,
        "deny_purge": settings.deny_purge,
        "allow_direct": settings.allow_direct,
        "duplicate_window": settings.duplicate_window_s * 1_000_000_000,
        "num_replicas": replicas,
        "max_bytes": settings.max_bytes,
        "max_msgs": -1,
        "max_age": 0,
        "max_msg_size": -1,
        "max_consumers": -1,
        "metadata": {"natster-sealing": settings.sealing},
    }


def settings_not_applied(settings: LogSettings, info: LogInfo) -> tuple[str, ...]:
    """The settings that were given, and that differ from those of the existing log."""
    # The server stores a default for what is 0, and nothing for no limit.
    wanted = {
        "discard": settings.discard,
        "deny_delete": settings.deny_delete,
        "deny_purge": settings.deny_purge,
        "allow_direct": settings.allow_direct,
        "duplicate_window_s": settings.duplicate_window_s or _DUPLICATE_WINDOW_S,
        "replicas": settings.replicas or 1,
        "max_bytes": max(0, settings.max_bytes),
    }
    given = settings.model_fields_set
    return tuple(
        name for name, value in wanted.items() if name in given and getattr(info, name) != value
    )


def transform_of(config: StreamConfig, subjects: str) -> str:
    """How a stream renames what is published on some subjects; empty if it does not."""
    transform = config.subject_transform
    if transform is None:
        return ""
    source = transform.src or ">"
    if transform.dest in ("", source) or not overlap(source, subjects):
        return ""
    return f"subject_transform {screen_text(source, 80)} to {screen_text(transform.dest, 80)}"


def log_info(answer: StreamInfoAnswer, system: EventSystem) -> LogInfo:
    """The log's state, from the server's answer about its stream."""
    config, state = answer.config, answer.state
    return LogInfo(
        stream=config.name,
        created=answer.created,
        first_seq=state.first_seq,
        last_seq=state.last_seq,
        messages=state.messages,
        bytes=state.bytes,
        deleted=state.num_deleted,
        discard=config.discard,
        max_bytes=config.max_bytes,
        max_msgs=config.max_msgs,
        max_msgs_per_subject=config.max_msgs_per_subject,
        max_age_s=config.max_age / 1e9,
        deny_delete=config.deny_delete,
        deny_purge=config.deny_purge,
        allow_direct=config.allow_direct,
        replicas=config.num_replicas,
        max_msg_size=config.max_msg_size,
        sealing=(config.metadata or {}).get("natster-sealing"),
        last_time=state.last_ts,
        start=max(config.first_seq, 1),
        retention=config.retention,
        storage=config.storage,
        allow_msg_ttl=config.allow_msg_ttl,
        allow_rollup_hdrs=config.allow_rollup_hdrs,
        persist_mode=config.persist_mode,
        no_ack=config.no_ack,
        is_mirror=config.mirror is not None,
        is_sealed_stream=config.sealed,
        discard_new_per_subject=config.discard_new_per_subject,
        transform=transform_of(config, system.subjects),
        takes_all_events=all(
            accepts(config.subjects or (), system.subject(event=kind.name)) for kind in system.kinds
        ),
        subjects=config.subjects or (),
        duplicate_window_s=config.duplicate_window / 1e9,
        # A single server may report a cluster without a name.
        in_cluster=answer.cluster is not None and bool(answer.cluster.name),
    )
