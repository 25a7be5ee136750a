"""Documents of a brought projection, sealed: under the account's key, or under nobody's."""

from __future__ import annotations

import pytest

from natster_tui.engine.projecting.stored_projection import bucket_of, load_projection
from natster_tui.events.tokens import NO_ACCOUNT
from natster_tui.projections.keyed import Part
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.envelope import is_sealed
from natster_tui.store.sealing.key_bucket import BUCKET
from natster_tui.store.settings.connection import ConnectionSettings
from tests.engine.running import project_to_head
from tests.folding import fold_all
from tests.making_logs import records_in
from tests.projections.activity import ActivityProjection
from tests.reading_buckets import stored_values


class OfCatalogs(ActivityProjection):
    name, bucket, key_noun = "used", "PROJ_USED", "catalog"
    keys = (Part.CATALOG,)


@pytest.mark.parametrize(
    "projection", [ActivityProjection(), OfCatalogs()], ids=["accounts", "catalogs"]
)
async def test_they_are_sealed_and_read_back_as_they_were_made(
    sealed: EventLog, settings: ConnectionSettings, projection: ActivityProjection
) -> None:
    await project_to_head(sealed, projection)
    values = await stored_values(settings, projection.bucket)
    del values["_checkpoint"]
    made = fold_all(projection, await records_in(sealed)).documents()
    assert values.keys() == made.keys()
    assert values
    assert all(is_sealed(value) for value in values.values())
    stored = await load_projection(bucket_of(sealed, projection, "look"), projection)
    assert stored.whole_documents() == made
    keys = await stored_values(settings, BUCKET)
    of_nobody = [key for key in keys if key.startswith(f"{NO_ACCOUNT}.")]
    assert bool(of_nobody) == (Part.CATALOG in projection.keys)
