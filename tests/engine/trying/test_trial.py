"""Trying a projection on a log, compared with what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.engine.trying.trial import read_log, try_projection
from natster_tui.errors import RefusedError
from natster_tui.projections.registering.loading import load_file
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.engine.running import project_to_head
from tests.making_logs import A, B, append, initialized, shared
from tests.projections import activity
from tests.reading_buckets import put_value


def ignore(_seq: int, _head: int) -> None:
    """Progress does not matter here."""


async def test_a_stored_document_that_cannot_be_read_is_named(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, [initialized(A), shared(A, B)])
    (projection,) = load_file(Path(activity.__file__))
    await project_to_head(log, projection)
    await put_value(settings, "PROJ_ACTIVITY", A, b"garbage")
    records = await read_log(log, "test", ignore)
    with pytest.raises(RefusedError, match=f"the document {A} in PROJ_ACTIVITY cannot be read"):
        await try_projection(log, projection, records, activity.__file__, "test", ignore)
