"""The check before a version is projected beside the stored one."""

from __future__ import annotations

from natster_tui.engine.projecting.stored_projection import stored_checkpoint
from natster_tui.engine.versions.finding import VersionPair
from natster_tui.errors import RefusedError
from natster_tui.store.log import EventLog


async def refuse_stored_version(log: EventLog, pair: VersionPair) -> None:
    """Raise RefusedError if the version is the stored one already."""
    checkpoint = await stored_checkpoint(log.link, pair.current)
    if checkpoint is not None and checkpoint.version == pair.version:
        raise RefusedError(
            f"{pair.current.bucket} holds version {pair.version} of {pair.name} already: project "
            "it without --beside, or load another version with --projection"
        )
