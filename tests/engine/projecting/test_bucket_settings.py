"""Buckets that exist, and are set up in another way than ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import BucketError, ProjectorStoppedError
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import Reporter, reporting_to
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.maker import KEYS
from tests.jetstream import ask_jetstream
from tests.making_logs import append, bound, initialized, shared
from tests.sealed_logs import sealed_log

EVENTS = [initialized("AA", "Ann"), initialized("BB"), bound("AA"), shared("AA", "BB")]


async def change(link: Link, stream: str, **settings: Any) -> None:
    config = (await ask_jetstream(link, f"STREAM.INFO.{stream}"))["config"]
    config.update(metadata={}, **settings)
    config.pop("first_seq", None)
    await ask_jetstream(link, f"STREAM.UPDATE.{stream}", config)


async def is_set(link: Link, stream: str, setting: str) -> bool:
    return bool((await ask_jetstream(link, f"STREAM.INFO.{stream}"))["config"].get(setting))


async def test_atomic_batches_are_switched_on_where_they_were_switched_off(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    for stream in ("KV_PROJ_ACCOUNT", "KV_PROJ_CATALOG"):
        await change(log.link, stream, allow_atomic=False)
    await append(log, [shared("BB", "AA", "movies")])
    told: list[str] = []
    with reporting_to(Reporter(told.append)):
        done = await project_until_caught_up(log, PROJECTIONS, "after")
    assert [each.seq for each in done] == [5, 5]
    assert await is_set(log.link, "KV_PROJ_ACCOUNT", "allow_atomic")
    assert sorted(told) == [
        f"{projection.bucket} did not allow atomic batches: it does now, as committing needs them"
        for projection in PROJECTIONS
    ]


async def test_a_rebuild_switches_them_on_as_well(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    await change(log.link, "KV_PROJ_ACCOUNT", allow_atomic=False, max_bytes=50_000_000)
    rebuild = Rebuild(log, WholeProjections((ACCOUNTS,)), "rebuild")
    await rebuild.prepare()
    assert [verdict.good for verdict in await rebuild.commit()] == [True]
    config = (await ask_jetstream(log.link, "STREAM.INFO.KV_PROJ_ACCOUNT"))["config"]
    # What a person set for a bucket of ours stays.
    assert (config["allow_atomic"], config["max_bytes"]) == (True, 50_000_000)


async def test_an_entry_above_max_msg_size_is_refused_by_the_name_of_the_setting(
    log: EventLog,
) -> None:
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    await change(log.link, "KV_PROJ_ACCOUNT", max_msg_size=1_500)
    await append(log, [initialized("CC", "x" * 1_000)])
    with pytest.raises(ProjectorStoppedError) as refused:
        await project_until_caught_up(log, PROJECTIONS, "after")
    assert "stopped before event 5" in str(refused.value)
    assert "raise max_msg_size of the stream KV_PROJ_ACCOUNT" in str(refused.value)


async def test_keys_are_switched_to_atomic_batches(log: EventLog, tmp_path: Path) -> None:
    await ask_jetstream(log.link, f"STREAM.DELETE.{log.stream}")
    sealed = await sealed_log(log.link, tmp_path / "keys.json")
    await append(sealed, [initialized("AA", "Ann")])
    await change(log.link, KEYS.stream, allow_atomic=False)
    await append(sealed, [initialized("BB", "Bob")])
    assert await is_set(log.link, KEYS.stream, "allow_atomic")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"storage": "memory"}, "storage memory"),
        ({"max_age": 3_600_000_000_000}, "max_age 3,600 s"),
        ({"max_msgs": 100, "discard": "old"}, "max_msgs 100 with discard old"),
    ],
)
async def test_no_key_is_made_where_it_would_be_lost(
    log: EventLog, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    await ask_jetstream(log.link, f"STREAM.DELETE.{log.stream}")
    sealed = await sealed_log(log.link, tmp_path / "keys.json")
    await ask_jetstream(log.link, f"STREAM.CREATE.{KEYS.stream}", KEYS.config(1) | changed)
    with pytest.raises(BucketError, match="it would be lost") as refused:
        await append(sealed, [initialized("AA", "Ann")])
    assert said in refused.value.sentence
    assert (await sealed.refresh()).last_seq == 0
