"""What `status` reports about versions and leases, on a real server."""

from __future__ import annotations

from natster_tui.engine.status import read_status
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.store.log import EventLog
from tests.conftest import until
from tests.engine.versions.activities import FIRST, SECOND, at_work, project_all
from tests.making_logs import append, initialized, shared


async def test_versions_side_by_side_and_who_holds_which_lease(log: EventLog) -> None:
    await append(log, [initialized("AA"), shared("AA", "BB")])
    await project_all(log, FIRST)
    async with (
        at_work(log, FIRST, "one"),
        at_work(log, placed_beside(SECOND), "two") as (newer, _lease),
    ):
        await until(lambda: newer.status.stored == 2)
        (report,) = (await read_status(log, [SECOND], "test")).projections
        (version,) = report.beside
        assert report.stored_sentence == "at 2, lag 0, 1 key, parked 0, version 1 (here 2)"
        assert report.leases.lines()[0].startswith("lease projector.activity: ")
        assert report.leases.lines()[0].endswith(", version 1")
        assert version.sentence == "version 2 beside, in PROJ_ACTIVITY_v2: at 2, lag 0"
        assert version.leases.lines()[0].startswith("lease projector.activity.v2: ")
        assert version.leases.lines()[0].endswith(", version 2")
