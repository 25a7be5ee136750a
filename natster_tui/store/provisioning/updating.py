"""Changing some settings of an existing bucket, and no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from natster_tui.store.connection.answers.streams import StreamConfig, StreamInfoAnswer
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import stream_info


async def change_settings(
    link: Link,
    stream: str,
    changes: Mapping[str, object],
    *,
    unless: Callable[[StreamConfig], bool] = lambda _config: False,
) -> bool:
    """Change some settings and keep the others; returns whether that was needed.

    Nothing is changed if `unless` is true of the present settings.
    """
    info = await stream_info(link, stream)
    if unless(info.config):
        return False
    # The server sets these, and refuses them in a request.
    config = {key: value for key, value in info.raw_config.items() if key != "first_seq"}
    metadata = info.config.metadata or {}
    config["metadata"] = {
        key: value for key, value in metadata.items() if not key.startswith("_nats.")
    }
    config.update(changes)  # type: ignore[arg-type] # JSON values, which the server checks
    await link.ask(f"STREAM.UPDATE.{stream}", StreamInfoAnswer, config)
    return True
