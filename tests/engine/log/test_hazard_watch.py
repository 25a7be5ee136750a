"""The hazards of logs and buckets on a real server."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.log.hazard_watch import HazardWatch
from natster_tui.engine.rebuilding.preflight import read_preflight
from natster_tui.errors import ServerError
from natster_tui.events.log.hazards import HazardKind
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.tasks import end_all
from tests.engine.running import read_hazards
from tests.jetstream import ask_jetstream
from tests.making_logs import append, bound, initialized, shared

SAFE: dict[str, Any] = {
    "name": NATSTER.stream,
    "subjects": [NATSTER.subjects],
    "discard": "new",
    "deny_delete": True,
    "deny_purge": True,
    "num_replicas": 1,
}
HOUR_NS = 3_600_000_000_000


async def hazards_with(link: Link, **settings: Any) -> set[HazardKind]:
    """The kinds of hazard that a log with these settings has; it is gone afterwards."""
    await ask_jetstream(link, f"STREAM.CREATE.{NATSTER.stream}", SAFE | settings)
    log = await EventLog.open(link, NATSTER)
    kinds = {hazard.kind for hazard in await read_hazards(log, PROJECTIONS)}
    await ask_jetstream(link, f"STREAM.DELETE.{NATSTER.stream}")
    return kinds


@pytest.mark.parametrize("changes", [{}, {"first_seq": 1_000_001}])
async def test_a_log_as_we_make_it_has_no_hazard(link: Link, changes: dict[str, Any]) -> None:
    assert await hazards_with(link, **changes) == set()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"retention": "workqueue"}, HazardKind.RETENTION),
        ({"retention": "interest"}, HazardKind.RETENTION),
        ({"storage": "memory"}, HazardKind.STORAGE),
        ({"discard": "old"}, HazardKind.DISCARD),
        ({"max_msgs_per_subject": 1}, HazardKind.SUBJECT_LIMIT),
        ({"max_age": HOUR_NS}, HazardKind.MAX_AGE),
        ({"allow_msg_ttl": True}, HazardKind.MESSAGE_TTL),
        (
            {"allow_msg_ttl": True, "subject_delete_marker_ttl": HOUR_NS, "deny_purge": False}
            | {"allow_rollup_hdrs": True},
            HazardKind.MESSAGE_TTL,
        ),
        ({"allow_rollup_hdrs": True, "deny_purge": False}, HazardKind.ROLLUP),
        ({"persist_mode": "async"}, HazardKind.PERSIST_MODE),
        ({"no_ack": True}, HazardKind.NO_ACK),
        ({"deny_delete": False, "deny_purge": False}, HazardKind.NOT_DENIED),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
async def test_each_setting_that_loses_events_is_a_hazard_of_its_name(
    link: Link, changes: dict[str, Any], kind: HazardKind
) -> None:
    assert kind in await hazards_with(link, **changes)


@pytest.mark.parametrize("setting", ["no_ack", "mirror"])
async def test_what_cannot_be_published_to_is_refused_by_the_name_of_the_setting(
    link: Link, setting: str
) -> None:
    if setting == "no_ack":
        await ask_jetstream(link, f"STREAM.CREATE.{NATSTER.stream}", SAFE | {"no_ack": True})
    else:
        await ask_jetstream(link, "STREAM.CREATE.ORIGIN", SAFE | {"name": "ORIGIN"})
        mirror = {"name": NATSTER.stream, "mirror": {"name": "ORIGIN"}}
        await ask_jetstream(
            link, f"STREAM.CREATE.{NATSTER.stream}", SAFE | mirror | {"subjects": None}
        )
    log = await EventLog.open(link, NATSTER)
    with pytest.raises(ServerError, match=setting):
        await append(log, [shared("AA", "BB")])


async def test_secrets_in_clear_text_and_history_that_is_gone_are_told_before_a_rebuild(
    log: EventLog,
) -> None:
    await append(log, [initialized("AA", "Ann"), bound("AA"), shared("AA", "BB")])
    config = (await ask_jetstream(log.link, f"STREAM.INFO.{NATSTER.stream}"))["config"]
    await ask_jetstream(
        log.link,
        f"STREAM.UPDATE.{NATSTER.stream}",
        config | {"max_msgs": 2, "discard": "old", "metadata": {}},
    )
    preflight = await read_preflight(log, [ACCOUNTS], "test")
    assert [hazard.kind for hazard in preflight.hazards] == [
        HazardKind.HISTORY_LOST,
        HazardKind.DISCARD,
        HazardKind.NEARLY_FULL,
        HazardKind.CLEAR_SECRETS,
    ]
    text = "\n".join(preflight.lines())
    assert "hazard: secrets are stored in clear text: the context_bound at 2 is not sealed" in text
    assert "(max_msgs 2)" in text


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"max_age": HOUR_NS, "duplicate_window": 0}, HazardKind.BUCKET_FORGETS, "max_age 3,600 s"),
        ({"max_msgs": 1_000, "discard": "old"}, HazardKind.BUCKET_FORGETS, "max_msgs 1,000"),
        ({"max_msgs_per_subject": 5}, HazardKind.BUCKET_HISTORY, "keeps 5 values"),
    ],
)
async def test_a_bucket_that_is_set_up_to_forget_is_a_hazard(
    log: EventLog, changes: dict[str, Any], kind: HazardKind, says: str
) -> None:
    await append(log, [shared("AA", "BB")])
    await project_until_caught_up(log, PROJECTIONS, "test")
    assert await read_hazards(log, PROJECTIONS) == ()
    stream = "KV_PROJ_ACCOUNT"
    config = (await ask_jetstream(log.link, f"STREAM.INFO.{stream}"))["config"]
    config.pop("first_seq", None)
    await ask_jetstream(log.link, f"STREAM.UPDATE.{stream}", config | {"metadata": {}} | changes)
    (hazard,) = await read_hazards(log, PROJECTIONS)
    assert hazard.kind is kind
    assert "PROJ_ACCOUNT" in hazard.sentence
    assert says in hazard.sentence


async def test_a_look_that_is_cancelled_at_any_moment_leaves_no_request_behind(
    log: EventLog,
) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for turns in range(12):
            look = asyncio.create_task(HazardWatch(PROJECTIONS).refresh(log))
            for _ in range(turns):
                await asyncio.sleep(0)
            await end_all([look])
            gc.collect()
    assert [str(each.message) for each in warned] == []
