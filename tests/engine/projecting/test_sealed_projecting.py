from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.erasure import affected_by_erasing, erase_account
from natster_tui.engine.history.document_history import key_document
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding import replay as replay_module
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import OneKey, WholeProjections
from natster_tui.errors import RefusedError, UnopenedEventError
from natster_tui.events.sealed_payload import Unopened
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.envelope import is_sealed
from natster_tui.store.sealing.key_bucket import BUCKET
from natster_tui.store.sealing.key_rotation import rotate, write_tombstone
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import project_to_head, projecting
from tests.jetstream import ask_jetstream
from tests.making_logs import (
    A,
    B,
    C,
    append,
    bound,
    context,
    event,
    initialized,
    records_in,
    shared,
)
from tests.reading_buckets import put_value, stored_values
from tests.real_server import RealServer
from tests.sealed_logs import SECRET, key_entry, keyring_of, opened_with, sealed_log

EVENTS = [
    initialized(A, "Ada"),
    bound(A, context(access_token=SECRET)),
    initialized(B, "Bob"),
    shared(A, B),
    bound(B, context("github|bbb", creds=SECRET)),
    shared(B, A, "movies"),
]


@pytest.fixture
async def sealed(link: Link, key_file: Path) -> EventLog:
    """The events above, sealed."""
    log = await sealed_log(link, key_file)
    await append(log, EVENTS)
    return log


async def verified(log: EventLog) -> list[Verdict]:
    return await Rebuild(log, WholeProjections(PROJECTIONS), "verify").verify()


async def rebuilt(log: EventLog, **options: Any) -> list[Verdict]:
    work = Rebuild(log, WholeProjections(PROJECTIONS), "rebuild")
    await work.prepare()
    return await work.commit(Consent(**options))


async def raw_payloads(log: EventLog) -> list[bytes]:
    return [record.stored for record in await records_in(log)]


async def forget_key(log: EventLog, account: str) -> str:
    """Remove an account's data key, as no erasure does; returns the key's id."""
    name, _ = await key_entry(log, account)
    key = keyring_of(log).wrapped[name.rpartition(".")[2]]
    await keyring_of(log).bucket.erase(key.revision)
    return key.id


# -- sealing and opening -----------------------------------------------------------------------


async def test_what_is_stored_is_sealed_and_what_is_read_is_what_was_written(
    sealed: EventLog, settings: ConnectionSettings
) -> None:
    stored = await raw_payloads(sealed)
    assert [is_sealed(payload) for payload in stored] == [True, True, True, False, True, False]
    assert [r.payload for r in await records_in(sealed)] == [made.payload for made in EVENTS]
    for projection in PROJECTIONS:
        await project_to_head(sealed, projection)
        values = await stored_values(settings, projection.bucket)
        json.loads(values.pop("_checkpoint"))
        assert values
        assert all(is_sealed(value) for value in values.values())
    assert all(verdict.good for verdict in await verified(sealed))


async def test_empty_and_null_payloads_stay_as_they_are(link: Link, key_file: Path) -> None:
    log = await sealed_log(link, key_file)
    plain = [b"", b"null", b" null\n"]
    await append(log, [event("catalog_shared", A, B, "x", payload) for payload in plain])
    assert await raw_payloads(log) == plain
    assert not key_file.exists(), "nothing needed a key"


async def test_a_value_moved_to_another_place_does_not_open(
    sealed: EventLog, settings: ConnectionSettings
) -> None:
    """Another subject, another message id, another bucket key: each fails, none is guessed at."""
    binding = (await records_in(sealed))[1]
    for subject, message_id in (
        (f"natster.events.{C}.none.none.context_bound", ""),
        (binding.subject, "another"),
    ):
        await sealed.link.request(
            sealed.link.target.stored(subject), binding.stored, {"Nats-Msg-Id": message_id or "m"}
        )
    moved = (await records_in(sealed))[-2:]
    assert [r.seal and r.seal.unopened for r in moved] == [Unopened.UNREADABLE] * 2
    assert all(r.payload == b"" and r.seal and "altered" in r.seal.reason for r in moved)
    projector = await project_to_head(sealed, ACCOUNTS)
    assert [(e.seq, e.reason.value) for e in projector.status.parked.recent] == [
        (7, "payload"),
        (8, "payload"),
    ]
    values = await stored_values(settings, ACCOUNTS.bucket)
    await put_value(settings, ACCOUNTS.bucket, B, values[A])
    (account, _) = await verified(sealed)
    assert [change.key for change in account.diff.changes] == [B]


@pytest.mark.parametrize(
    ("made", "kind", "expected"),
    [
        (lambda v: v[:20], Unopened.UNREADABLE, "truncated"),
        (lambda v: v[:-1] + bytes([v[-1] ^ 1]), Unopened.UNREADABLE, "altered"),
        (lambda v: v[:4] + b"\x02" + v[5:], Unopened.UNAVAILABLE, "version"),
        (lambda v: v.replace(v[6:23], b"k0123456789abcdef"), Unopened.UNAVAILABLE, "not hold it"),
    ],
    ids=["truncated", "flipped bit", "unknown version", "unknown key id"],
)
async def test_each_way_not_to_open_has_its_name(
    sealed: EventLog, made: object, kind: Unopened, expected: str
) -> None:
    binding = (await records_in(sealed))[1]
    await sealed.link.request(sealed.link.target.stored(binding.subject), made(binding.stored))  # type: ignore[operator] # a lambda above
    last = (await records_in(sealed))[-1]
    assert last.seal is not None
    assert last.seal.unopened is kind
    assert expected in last.seal.reason


# -- unavailable is not erased -----------------------------------------------------------------


async def test_without_the_key_file_accounts_stop_catalogs_go_on_and_nothing_is_lost(
    sealed: EventLog, key_file: Path, settings: ConnectionSettings
) -> None:
    for projection in PROJECTIONS:
        await project_to_head(sealed, projection)
    before = {p.bucket: await stored_values(settings, p.bucket) for p in PROJECTIONS}
    aside = key_file.with_suffix(".aside")
    key_file.rename(aside)
    blind = await opened_with(sealed, key_file)
    opened = await records_in(blind)
    assert [r.seal.unopened if r.seal else None for r in opened][:2] == [Unopened.UNAVAILABLE] * 2
    async with projecting(blind, ACCOUNTS) as accounts, projecting(blind, CATALOGS) as catalogs:
        await until(lambda: accounts.status.phase is Phase.STOPPED)
        key_id = opened[0].seal.key_id if opened[0].seal else ""
        assert "stopped before event 1: " in accounts.status.problem
        assert key_id in accounts.status.problem
        await until(lambda: catalogs.status.position == 6)
        assert catalogs.status.phase is Phase.WATCHING
        assert "there is no key file" in catalogs.status.problem
        assert sorted(catalogs.fold.states) == ["kevbuzz", "movies"]
    assert {p.bucket: await stored_values(settings, p.bucket) for p in PROJECTIONS} == before
    aside.rename(key_file)
    seeing = await opened_with(sealed, key_file)
    await append(seeing, [shared(A, C, "more")])
    for projection in PROJECTIONS:
        assert (await project_to_head(seeing, projection)).status.stored == 7
    assert all(verdict.good for verdict in await verified(seeing))


async def test_a_missing_key_stops_before_the_event_and_commits_all_before_it(
    sealed: EventLog, key_file: Path
) -> None:
    key_id = await forget_key(sealed, B)
    log = await opened_with(sealed, key_file)
    async with projecting(log, ACCOUNTS) as accounts:
        await until(lambda: accounts.status.phase is Phase.STOPPED)
        assert accounts.status.stored == 2
        assert f"sealed with the key {key_id}" in accounts.status.problem
        assert "no authentic tombstone" in accounts.status.problem
    assert (await project_to_head(log, CATALOGS)).status.stored == 6


async def test_a_rebuild_is_blocked_by_it_unless_it_may_end_before_it(
    sealed: EventLog, key_file: Path
) -> None:
    await forget_key(sealed, B)
    log = await opened_with(sealed, key_file)
    with pytest.raises(RefusedError, match=r"stopped before event 3: .*nothing was written"):
        await rebuilt(log)
    assert not (await Bucket(log.link, ACCOUNTS.bucket, "look").info()).exists
    account, catalog = await rebuilt(log, partial=True)
    assert (account.seq, account.good, catalog.seq, catalog.good) == (2, True, 6, True)
    with pytest.raises(UnopenedEventError):
        await key_document(log, ACCOUNTS, B, 6, "look")
    assert await key_document(log, ACCOUNTS, A, 2, "look") is not None


async def test_a_replay_that_was_blocked_is_not_kept(
    sealed: EventLog, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "FREEZE_AT_END", 1)
    await forget_key(sealed, B)
    work = Rebuild(await opened_with(sealed, key_file), WholeProjections(PROJECTIONS), "rebuild")
    await work.prepare()
    assert set(work.blocked) == {ACCOUNTS.name}
    refused = False
    try:
        await work.commit()
    except RefusedError:
        refused = True
    assert refused
    kept = weakref.ref(work)
    del work
    assert kept() is None


async def test_a_key_that_came_in_later_is_found(sealed: EventLog, key_file: Path) -> None:
    other = await opened_with(sealed, key_file)
    await records_in(other)
    await append(sealed, [bound(C, context(access_token=SECRET))])
    assert (await records_in(other))[-1].payload == context(access_token=SECRET)


# -- mixed and adopted logs --------------------------------------------------------------------


async def test_a_plain_log_with_sealing_turned_on_seals_what_comes_and_rebuild_the_documents(
    log: EventLog, link: Link, key_file: Path, settings: ConnectionSettings
) -> None:
    await ask_jetstream(link, f"STREAM.DELETE.{log.stream}")
    await ask_jetstream(
        link,
        f"STREAM.CREATE.{log.stream}",
        {"name": log.stream, "subjects": ["natster.events.*.*.*.*"], "storage": "file"},
    )
    plain = await EventLog.open(link, log.system)
    await append(plain, EVENTS[:3])
    for projection in PROJECTIONS:
        await project_to_head(plain, projection)
    log = await opened_with(plain, key_file, wanted=True)
    await append(log, EVENTS[3:])
    assert [is_sealed(payload) for payload in await raw_payloads(log)] == [
        False, False, False, False, True, False
    ]  # fmt: skip
    await project_to_head(log, CATALOGS)
    account, catalog = await verified(log)
    assert {change.unsealed for change in account.diff.changes} == {True}
    assert catalog.good, "all of it was written since"
    assert all(verdict.good for verdict in await rebuilt(log))
    for projection in PROJECTIONS:
        values = await stored_values(settings, projection.bucket)
        del values["_checkpoint"]
        assert all(is_sealed(value) for value in values.values())


async def test_off_reads_what_is_sealed_and_writes_nothing_among_it(
    sealed: EventLog, link: Link, key_file: Path, settings: ConnectionSettings
) -> None:
    for projection in PROJECTIONS:
        await project_to_head(sealed, projection)
    config = (await ask_jetstream(link, f"STREAM.INFO.{sealed.stream}"))["config"]
    config["metadata"] = {"natster-sealing": "off"}
    await ask_jetstream(link, f"STREAM.UPDATE.{sealed.stream}", config)
    log = await opened_with(sealed, key_file)
    assert not log.sealing.seals
    assert (await records_in(log))[1].payload == EVENTS[1].payload
    before = await stored_values(settings, ACCOUNTS.bucket)
    async with projecting(log, ACCOUNTS) as accounts:
        await until(lambda: accounts.status.phase is Phase.WATCHING)
        assert "holds sealed documents, and sealing is off" in accounts.status.problem
    with pytest.raises(RefusedError, match=r"^PROJ_[A-Z]+ holds sealed documents"):
        await rebuilt(log)
    with pytest.raises(RefusedError, match=r"^PROJ_[A-Z]+ holds sealed documents"):
        await Rebuild(log, OneKey(ACCOUNTS, A), "one").commit()
    assert await stored_values(settings, ACCOUNTS.bucket) == before


# -- erasing -----------------------------------------------------------------------------------


async def test_an_erased_account_is_readable_nowhere_and_everything_else_is(
    sealed: EventLog, key_file: Path, settings: ConnectionSettings
) -> None:
    for projection in PROJECTIONS:
        await project_to_head(sealed, projection)
    affected = await affected_by_erasing(sealed, A, "look")
    assert (affected.has_document, affected.catalogs) == (True, ("kevbuzz",))
    _, verdicts = await erase_account(sealed, A, PROJECTIONS, "erase")
    assert all(verdict.good for verdict in verdicts)
    for log in (sealed, await opened_with(sealed, key_file)):
        opened = await records_in(log)
        assert [r.seal.unopened for r in opened[:3] if r.seal] == [
            Unopened.ERASED, Unopened.ERASED, None
        ]  # fmt: skip
        document = json.loads(await key_document(log, ACCOUNTS, A, 6, "look") or b"")
        assert "bound_context" not in document
        assert "account_name" not in document
        assert document["initialized_at"] > 0
        assert document["out_shares"] == [{"catalog": "kevbuzz", "account": B}]
        projector = await project_to_head(log, ACCOUNTS)
        assert [(e.seq, e.reason.value) for e in projector.status.parked.recent] == [(2, "erased")]
        assert projector.fold.states[B].bound_context is not None
        assert all(verdict.good for verdict in await verified(log))
    await append(sealed, [bound(A, context("github|new"))])
    again = await opened_with(sealed, key_file)
    assert (await records_in(again))[-1].payload == context("github|new")


async def test_an_erasure_cut_short_is_noticed_and_finished_by_the_projector(
    sealed: EventLog, key_file: Path
) -> None:
    for projection in PROJECTIONS:
        await project_to_head(sealed, projection)
    name, _ = await key_entry(sealed, A)
    await write_tombstone(keyring_of(sealed), A, [name.rpartition(".")[2]], 1)
    log = await opened_with(sealed, key_file)
    for projection in PROJECTIONS:
        await project_to_head(log, projection)
    assert all(verdict.good for verdict in await verified(log))
    document = json.loads(await key_document(log, ACCOUNTS, A, 6, "look") or b"")
    assert "bound_context" not in document


async def test_another_dashboard_learns_of_an_erasure(sealed: EventLog, key_file: Path) -> None:
    other = await opened_with(sealed, key_file)
    assert (await records_in(other))[1].payload
    await erase_account(sealed, A, PROJECTIONS, "erase")
    assert await other.sealing.refresh()
    assert (await records_in(other))[1].payload == b""


async def test_an_attacker_with_the_store_and_the_key_file_of_today_reads_nothing_of_it(
    tmp_path: Path, key_file: Path
) -> None:
    """Every version of every wrapped key in the server's files, against every key left."""
    real = RealServer(tmp_path / "server")
    real.start()
    try:
        link = await Link.open(real.new_account())
        log = await sealed_log(link, key_file)
        await append(log, EVENTS)
        for projection in PROJECTIONS:
            await project_to_head(log, projection)
        _, wrapped_first = await key_entry(log, A)
        await rotate(keyring_of(log))
        _, wrapped_last = await key_entry(log, A)
        events = [record.stored for record in await records_in(log)]
        await erase_account(log, A, PROJECTIONS, "erase")
        keys = await opened_with(log, key_file)
        await link.close()
    finally:
        real.stop()
    store = b"".join(p.read_bytes() for p in (tmp_path / "server").rglob("*.blk"))
    assert events[1] in store, "the event itself is still there, sealed"
    assert wrapped_last not in store, "deleted with overwriting"
    text = key_file.read_text()
    ids = keyring_of(keys).keks
    assert len(ids) == 1
    assert ids[0].encode() not in wrapped_first
    for kek in ids:
        # Whatever the files still hold of the account's keys, no key of today wrapped it.
        assert f"{A}.".encode() in store
        at = -1
        while (at := store.find(f"$KV.{BUCKET}.{A}.".encode(), at + 1)) >= 0:
            assert kek.encode() not in store[at : at + 120] or b"_tombstone" in store[at - 40 : at]
    assert SECRET not in text


# -- at rest -----------------------------------------------------------------------------------


async def test_a_plain_servers_files_show_subjects_and_keys_and_nothing_else(
    tmp_path: Path, key_file: Path
) -> None:
    real = RealServer(tmp_path / "server")
    real.start()
    try:
        link = await Link.open(real.new_account())
        log = await sealed_log(link, key_file)
        await append(log, EVENTS)
        for projection in PROJECTIONS:
            await project_to_head(log, projection)
        await link.close()
    finally:
        real.stop()
    store = b"".join(p.read_bytes() for p in (tmp_path / "server").rglob("*") if p.is_file())
    for text in (SECRET, "Ada", "github|", "out_shares", "catalog_name", "account_name"):
        assert text.encode() not in store, text
    for text in (f"natster.events.{A}.{B}.kevbuzz.catalog_shared", "$KV.PROJ_CATALOG.movies"):
        assert text.encode() in store, text
