"""Existing buckets with other settings than ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.foreign import takeover
from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import OneKey, WholeProjections
from natster_tui.errors import BucketError, RefusedError, ServerError, UnstorableError
from natster_tui.events.log.hazards import HazardKind
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import Reporter, reporting_to
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.maker import KEYS, LEASES
from natster_tui.store.provisioning.retention import read_bucket_hazards
from natster_tui.store.provisioning.specs import bucket_config
from natster_tui.store.settings.connection import ConnectionSettings
from tests.engine.running import read_hazards
from tests.jetstream import ask_jetstream
from tests.making_logs import append, bound, initialized, shared
from tests.reading_buckets import put_value
from tests.sealed_logs import sealed_log

EVENTS = [initialized("AA", "Ann"), initialized("BB"), bound("AA"), shared("AA", "BB")]


async def change(link: Link, stream: str, **settings: Any) -> None:
    config = (await ask_jetstream(link, f"STREAM.INFO.{stream}"))["config"]
    config.update(metadata={}, **settings)
    config.pop("first_seq", None)
    await ask_jetstream(link, f"STREAM.UPDATE.{stream}", config)


async def rebuild(log: EventLog, scope: WholeProjections | OneKey) -> list[Verdict]:
    work = Rebuild(log, scope, "rebuild")
    await work.prepare()
    return await work.commit()


async def is_set(link: Link, stream: str, setting: str) -> bool:
    return bool((await ask_jetstream(link, f"STREAM.INFO.{stream}"))["config"].get(setting))


async def test_atomic_batches_are_switched_on_where_they_were_switched_off(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    for stream in ("KV_PROJ_ACCOUNT", "KV_PROJ_CATALOG"):
        await change(log.link, stream, allow_atomic=False)
    await append(log, [shared("BB", "AA", "movies")])
    notices: list[str] = []
    with reporting_to(Reporter(notices.append)):
        done = await project_until_caught_up(log, PROJECTIONS, "after")
    assert [each.seq for each in done] == [5, 5]
    assert await is_set(log.link, "KV_PROJ_ACCOUNT", "allow_atomic")
    assert sorted(notices) == [
        f"{projection.bucket} did not allow atomic batches: it does now, as committing needs them"
        for projection in PROJECTIONS
    ]


async def test_a_rebuild_switches_them_on_as_well(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    await change(log.link, "KV_PROJ_ACCOUNT", allow_atomic=False, max_bytes=50_000_000)
    assert [verdict.good for verdict in await rebuild(log, WholeProjections((ACCOUNTS,)))] == [True]
    config = (await ask_jetstream(log.link, "STREAM.INFO.KV_PROJ_ACCOUNT"))["config"]
    # What a person set for a bucket of ours stays.
    assert (config["allow_atomic"], config["max_bytes"]) == (True, 50_000_000)


async def test_an_entry_above_max_msg_size_is_refused_by_the_name_of_the_setting(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    await change(log.link, "KV_PROJ_ACCOUNT", max_msg_size=1_500)
    await append(log, [initialized("CC", "x" * 1_000)])
    with pytest.raises(ServerError) as refused:
        await project_until_caught_up(log, PROJECTIONS, "after")
    assert "stopped before event 5" in str(refused.value)
    assert "raise max_msg_size of the stream KV_PROJ_ACCOUNT" in str(refused.value)
    await put_value(settings, "PROJ_ACCOUNT", "AA", b"{}")
    await change(log.link, "KV_PROJ_ACCOUNT", max_msg_size=100)
    for scope in (WholeProjections((ACCOUNTS,)), OneKey(ACCOUNTS, "AA")):
        with pytest.raises(UnstorableError, match="the server takes 0: raise max_msg_size"):
            await rebuild(log, scope)


def renamed(bucket: str) -> dict[str, Any]:
    """Stores each entry under another key, and acknowledges it all the same."""
    return {"subject_transform": {"src": f"$KV.{bucket}.>", "dest": f"$KV.{bucket}.x.>"}}


REFUSING: list[tuple[dict[str, Any], str]] = [
    (renamed("PROJ_ACCOUNT"), r"subject_transform \$KV.PROJ_ACCOUNT.> to \$KV.PROJ_ACCOUNT.x.>"),
    ({"subjects": ["$KV.PROJ_ACCOUNT._checkpoint"]}, r"subjects \$KV.PROJ_ACCOUNT._checkpoint"),
    ({"discard_new_per_subject": True}, "discard_new_per_subject"),
    ({"sealed": True}, "sealed"),
]


@pytest.mark.parametrize(("changed", "expected"), REFUSING)
async def test_nothing_is_written_to_a_bucket_that_does_not_store_it_as_it_is(
    log: EventLog, changed: dict[str, Any], expected: str
) -> None:
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    await change(log.link, "KV_PROJ_ACCOUNT", **changed)
    await append(log, [shared("BB", "AA", "movies")])
    before = (await ask_jetstream(log.link, "STREAM.INFO.KV_PROJ_ACCOUNT"))["state"]
    refused = (
        rf"nothing can be stored in the bucket PROJ_ACCOUNT \({expected}\): change that setting"
    )
    (hazard,) = await read_bucket_hazards(log.link, "PROJ_ACCOUNT") or ()
    assert hazard.kind is HazardKind.BUCKET_REFUSES
    with pytest.raises(ServerError, match=refused):
        await project_until_caught_up(log, PROJECTIONS, "after")
    for scope in (WholeProjections((ACCOUNTS,)), OneKey(ACCOUNTS, "AA")):
        with pytest.raises(BucketError, match=refused):
            await rebuild(log, scope)
    after = (await ask_jetstream(log.link, "STREAM.INFO.KV_PROJ_ACCOUNT"))["state"]
    assert after["last_seq"] == before["last_seq"]
    if "sealed" not in changed:
        restored = {"subjects": ["$KV.PROJ_ACCOUNT.>"], "discard_new_per_subject": False}
        await change(log.link, "KV_PROJ_ACCOUNT", subject_transform=None, **restored)
        assert {each.seq for each in await project_until_caught_up(log, PROJECTIONS, "on")} == {5}


async def test_a_bucket_for_keys_of_one_token_takes_all_documents(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    await change(log.link, "KV_PROJ_ACCOUNT", subjects=["$KV.PROJ_ACCOUNT.*"])
    await append(log, [shared("BB", "AA", "movies")])
    assert await read_bucket_hazards(log.link, "PROJ_ACCOUNT") == ()
    assert {each.seq for each in await project_until_caught_up(log, PROJECTIONS, "after")} == {5}
    assert [verdict.good for verdict in await rebuild(log, WholeProjections((ACCOUNTS,)))] == [True]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (renamed("NATSTER_LEASE"), "subject_transform"),
        ({"no_ack": True, "allow_atomic": False}, "no_ack"),
        ({"discard_new_per_subject": True}, "discard_new_per_subject"),
        ({"subjects": ["$KV.NATSTER_LEASE.projector.*"]}, "subjects"),
        ({"subjects": ["$KV.NATSTER_LEASE.*"]}, "subjects"),
    ],
)
async def test_no_lease_is_taken_where_it_would_not_be_stored_as_it_is(
    log: EventLog, changed: dict[str, Any], expected: str
) -> None:
    await append(log, EVENTS)
    await ask_jetstream(log.link, f"STREAM.CREATE.{LEASES.stream}", LEASES.config(1) | changed)
    refused = rf"no lease can be stored in NATSTER_LEASE \({expected}"
    with pytest.raises(ServerError, match=refused):
        await project_until_caught_up(log, PROJECTIONS, "once")
    with pytest.raises(BucketError, match=refused):
        await rebuild(log, WholeProjections((ACCOUNTS,)))
    restored = {"subject_transform": None, "no_ack": False, "discard_new_per_subject": False}
    await change(log.link, LEASES.stream, **LEASES.config(1), **restored)
    assert {each.seq for each in await project_until_caught_up(log, PROJECTIONS, "on")} == {4}


@pytest.mark.parametrize("changed", [renamed("PROJ_ACCOUNT"), {"no_ack": True}])
async def test_a_takeover_converts_or_refuses_such_a_bucket(
    log: EventLog, changed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "QUIET_S", 0.0)
    await append(log, EVENTS)
    config = bucket_config("PROJ_ACCOUNT", "of another program", 1) | changed
    await ask_jetstream(log.link, "STREAM.CREATE.KV_PROJ_ACCOUNT", config)
    taking = Rebuild(log, WholeProjections((ACCOUNTS,)), "rebuild")
    await taking.prepare()
    if "no_ack" in changed:
        assert [verdict.good for verdict in await taking.commit(Consent(take_over=True))] == [True]
        return
    with pytest.raises(RefusedError, match="does not store entries under the keys"):
        await taking.commit(Consent(take_over=True))
    assert (await ask_jetstream(log.link, "STREAM.INFO.KV_PROJ_ACCOUNT"))["state"]["last_seq"] == 0


async def test_keys_are_switched_to_atomic_batches(log: EventLog, tmp_path: Path) -> None:
    await ask_jetstream(log.link, f"STREAM.DELETE.{log.stream}")
    sealed = await sealed_log(log.link, tmp_path / "keys.json")
    await append(sealed, [initialized("AA", "Ann")])
    await change(log.link, KEYS.stream, allow_atomic=False)
    await append(sealed, [initialized("BB", "Bob")])
    assert await is_set(log.link, KEYS.stream, "allow_atomic")


async def test_a_bucket_that_loses_keys_is_a_hazard(log: EventLog, tmp_path: Path) -> None:
    await ask_jetstream(log.link, f"STREAM.DELETE.{log.stream}")
    sealed = await sealed_log(log.link, tmp_path / "keys.json")
    await append(sealed, [initialized("AA", "Ann")])
    assert HazardKind.KEYS not in {each.kind for each in await read_hazards(sealed, PROJECTIONS)}
    await change(log.link, KEYS.stream, max_age=3_600_000_000_000)
    await sealed.sealing.refresh()
    hazard = (await read_hazards(sealed, PROJECTIONS))[-1]
    assert hazard.kind is HazardKind.KEYS
    assert "NATSTER_KEYS loses keys (max_age 3,600 s)" in hazard.sentence


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"storage": "memory"}, "it would be lost (storage memory)"),
        ({"max_age": 3_600_000_000_000}, "it would be lost (max_age 3,600 s)"),
        ({"max_msgs": 100, "discard": "old"}, "lost (max_msgs 100 with discard old)"),
        (renamed("NATSTER_KEYS"), "it could not be stored there (subject_transform"),
        ({"subjects": ["$KV.NATSTER_KEYS._keyring"]}, "it could not be stored there (subjects"),
        ({"subjects": ["$KV.NATSTER_KEYS.*"]}, "it could not be stored there (subjects"),
    ],
)
async def test_no_key_is_made_where_it_would_be_lost(
    log: EventLog, tmp_path: Path, changed: dict[str, Any], expected: str
) -> None:
    await ask_jetstream(log.link, f"STREAM.DELETE.{log.stream}")
    sealed = await sealed_log(log.link, tmp_path / "keys.json")
    await ask_jetstream(log.link, f"STREAM.CREATE.{KEYS.stream}", KEYS.config(1) | changed)
    with pytest.raises(BucketError, match="no key is made in NATSTER_KEYS") as refused:
        await append(sealed, [initialized("AA", "Ann")])
    assert expected in refused.value.sentence
    assert (await sealed.refresh()).last_seq == 0
