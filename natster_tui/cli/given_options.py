"""The shared options of a command line as one value."""

from __future__ import annotations

from typing import Literal

from natster_tui.events.natster import NATSTER
from natster_tui.store.settings.options import ConnectionFlags


class GivenOptions(ConnectionFlags):
    """The shared options; None or the default for those not given."""

    data_dir: str | None = None
    key_file: str | None = None
    stream: str = NATSTER.stream
    create_log: bool = False
    log_setting: tuple[str, ...] = ()
    bucket_bytes: str | None = None
    sealing: Literal["on", "off"] | None = None
    projection: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def connection(self) -> ConnectionFlags:
        """The options of the connection."""
        named = {name: getattr(self, name) for name in ConnectionFlags.model_fields}
        return ConnectionFlags.model_validate({k: v for k, v in named.items() if v is not None})
