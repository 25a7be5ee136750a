"""A sealed log that is exported with its keys can be read wherever it is imported."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from natster_tui.engine.log.export_events import ExportReport, export_lines
from natster_tui.engine.log.import_events import ImportResult, import_records
from natster_tui.engine.log.import_file import ImportFile
from natster_tui.errors import RefusedError
from natster_tui.events.event import MESSAGE_ID, Record
from natster_tui.events.log.identity import import_id
from natster_tui.events.natster import NATSTER
from natster_tui.events.sealed_payload import Unopened
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.sealing.key_bucket import BUCKET
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.sealing.key_making import ensure_keys
from natster_tui.store.sealing.key_rotation import destroy, rotate
from tests.folding import fold_all
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, C, append, bound, initialized, records_in, shared
from tests.real_server import RealServer
from tests.sealed_logs import SECRET, key_entry, keyring_of, opened_with, sealed_log


@pytest.fixture
async def other_link(server: RealServer) -> AsyncIterator[Link]:
    link = await Link.open(server.new_account())
    yield link
    await link.close()


@pytest.fixture
async def erased(sealed: EventLog) -> EventLog:
    """A sealed log in which one of two accounts was erased, and came back."""
    await append(sealed, [initialized(B, "Bob"), bound(B), initialized(A, "Before")])
    await destroy(keyring_of(sealed), A)
    await append(sealed, [initialized(A, "After"), shared(A, B)])
    return sealed


async def exported(log: EventLog, *, with_keys: bool = True) -> list[str]:
    return [line async for line in export_lines(log, 1, "test", with_keys=with_keys)]


async def take(log: EventLog, lines: Sequence[str]) -> ImportResult:
    file = ImportFile.of_lines(lambda: [line.encode() for line in lines], "file", NATSTER)
    return await import_records(log, file.events, "test", file.keys)


async def refuse(log: EventLog, lines: Sequence[str]) -> str:
    """The sentence with which an import is refused, before anything is written."""
    before = (await log.refresh()).last_seq, await stored_keys(log)
    with pytest.raises(RefusedError) as caught:
        await take(log, lines)
    assert ((await log.refresh()).last_seq, await stored_keys(log)) == before
    return caught.value.sentence


async def stored_keys(log: EventLog) -> dict[str, bytes]:
    bucket = keyring_of(log).bucket
    newest = await bucket.newest()
    entries = {} if newest is None else await bucket.entries_after(0, newest[1])
    return {name: entry.value for name, entry in entries.items()}


def facts(records: list[Record]) -> list[tuple[object, ...]]:
    """What a reader learns from records: all but sequences and the stream's own times."""
    return [
        (r.subject, r.payload, r.event_time_ns, None if r.seal is None else r.seal.unopened)
        for r in records
    ]


async def assert_reads_the_same(copy: EventLog, original: EventLog, key_file: Path) -> None:
    """As other processes find them, with this key file."""
    one, two = await opened_with(copy, key_file), await opened_with(original, key_file)
    theirs, ours = await records_in(one), await records_in(two)
    assert facts(theirs) == facts(ours)
    assert one.sealing.tombstones == two.sealing.tombstones
    for projection in PROJECTIONS:
        fold = fold_all(projection, theirs)
        assert fold.documents() == fold_all(projection, ours).documents()
        assert fold.parked.count == fold_all(projection, ours).parked.count
    assert one.sealing.problems == ()


# -- an empty target -----------------------------------------------------------------------------


async def test_a_sealed_log_with_an_erased_account_is_moved_whole(
    erased: EventLog, other_link: Link, key_file: Path, tmp_path: Path
) -> None:
    lines = await exported(erased)
    backup = tmp_path / "backup" / "keys.json"
    backup.parent.mkdir(mode=0o700)
    KeyFile(key_file).back_up(backup)
    copy = await sealed_log(other_link, backup)
    result = await take(copy, lines)
    assert (result.appended, result.keys, result.erasures) == (9, 2, 1)
    assert result.erased == 3
    await assert_reads_the_same(copy, erased, backup)
    assert await stored_keys(copy) == await stored_keys(erased)
    records = await records_in(copy)
    assert {r.seal.unopened for r in records if r.seal is not None} == {None, Unopened.ERASED}
    # What is written from now on is sealed with the account's key of now.
    await append(copy, [initialized(A, "Later")])
    assert (await key_entry(copy, A)) == (await key_entry(erased, A))
    assert (await take(copy, lines)).appended == 0


async def test_no_key_encryption_key_is_exported_and_nothing_readable(
    erased: EventLog, key_file: Path
) -> None:
    text = "\n".join(await exported(erased))
    content = json.loads(key_file.read_text())
    for ring in content["keyrings"].values():
        for key in (*ring, content["store"]):
            assert key not in text
            assert key.removeprefix("k") not in text
    assert SECRET not in text


async def test_keys_come_first_the_keyring_before_all(erased: EventLog) -> None:
    lines = [json.loads(line) for line in await exported(erased)]
    assert lines[0]["key"] == "_keyring"
    kinds = ["key" in line for line in lines]
    assert kinds == sorted(kinds, reverse=True)
    assert {line["key"].rpartition(".")[0] for line in lines if "key" in line} == {
        "", A, B, "_tombstone"
    }  # fmt: skip


async def test_without_keys_the_same_log_is_refused_by_its_first_sealed_event(
    erased: EventLog, other_link: Link, key_file: Path
) -> None:
    copy = await sealed_log(other_link, key_file)
    sentence = await refuse(copy, await exported(erased, with_keys=False))
    assert sentence.startswith("event 1 is sealed with the key k")
    assert sentence.endswith("export it with --open, or with --keys; nothing was imported")


async def test_another_key_file_is_refused(
    erased: EventLog, other_link: Link, key_file: Path, tmp_path: Path
) -> None:
    lines = await exported(erased)
    before = copy_of(key_file, tmp_path / "before" / "keys.json")
    copy = await sealed_log(other_link, tmp_path / "elsewhere" / "keys.json")
    assert "put it back from a backup" in await refuse(copy, lines)
    await rotate(keyring_of(erased))
    stale = await opened_with(copy, before)
    sentence = await refuse(stale, await exported(erased))
    assert "does not hold: name the key file that belongs to the export" in sentence


async def test_a_bucket_that_was_lost_is_restored_by_the_same_export(
    erased: EventLog, key_file: Path
) -> None:
    lines = await exported(erased)
    before = facts(await records_in(await opened_with(erased, key_file)))
    await ask_jetstream(erased.link, f"STREAM.DELETE.KV_{BUCKET}")
    again = await opened_with(erased, key_file)
    assert again.sealing.problems
    result = await take(again, lines)
    assert (result.appended, result.keys, result.erasures) == (0, 2, 1)
    assert facts(await records_in(await opened_with(erased, key_file))) == before


async def test_many_keys_are_taken_in_several_batches(
    sealed: EventLog, other_link: Link, key_file: Path
) -> None:
    await ensure_keys(keyring_of(sealed), (f"N{number}" for number in range(1_200)))
    copy = await sealed_log(other_link, key_file)
    assert (await take(copy, await exported(sealed))).keys == len(keyring_of(sealed).wrapped)
    assert await stored_keys(copy) == await stored_keys(sealed)


async def test_a_log_that_was_never_sealed_has_no_keys_to_export(log: EventLog) -> None:
    report = ExportReport()
    await append(log, [initialized(A)])
    assert len([line async for line in export_lines(log, 1, "t", report, with_keys=True)]) == 1
    assert report.sentences == ["there are no keys to export: nothing was sealed here"]


# -- the same keyring ----------------------------------------------------------------------------


async def moved(log: EventLog, link: Link, key_file: Path) -> EventLog:
    copy = await sealed_log(link, key_file)
    await take(copy, await exported(log))
    return await opened_with(copy, key_file)


async def test_the_same_keyring_takes_what_is_missing_also_after_a_rotation(
    sealed: EventLog, other_link: Link, key_file: Path
) -> None:
    copy = await moved(sealed, other_link, key_file)
    mine = await key_entry(copy, A)
    await append(sealed, [initialized(C, "Cleo")])
    assert (await take(copy, await exported(sealed))).keys == 1
    assert await key_entry(copy, A) == mine
    await assert_reads_the_same(copy, sealed, key_file)


async def test_a_key_that_was_erased_here_is_not_imported(
    erased: EventLog, other_link: Link, key_file: Path, tmp_path: Path
) -> None:
    own = copy_of(key_file, tmp_path / "own" / "keys.json")
    copy = await moved(erased, other_link, own)
    lines = await exported(erased)
    await destroy(keyring_of(copy), B)
    keys = await stored_keys(copy)
    result = await take(copy, lines)
    assert (result.appended, result.keys, result.erasures) == (0, 0, 0)
    assert await stored_keys(copy) == keys
    theirs = [r for r in await records_in(await opened_with(copy, own)) if f".{B}." in r.subject]
    assert {r.seal.unopened for r in theirs if r.seal is not None} == {Unopened.ERASED}
    # The erasure removed the key that wraps the file's keys, and with it what could open them.
    await append(erased, [initialized(C, "Cleo")])
    assert "does not hold" in await refuse(copy, await exported(erased))


def copy_of(key_file: Path, to: Path) -> Path:
    to.parent.mkdir(mode=0o700)
    shutil.copy(key_file, to)
    return to


async def test_an_erasure_is_not_imported_over_a_key_that_is_in_use(
    sealed: EventLog, other_link: Link, key_file: Path, tmp_path: Path
) -> None:
    both = copy_of(key_file, tmp_path / "both" / "keys.json")
    copy = await moved(sealed, other_link, both)
    await destroy(keyring_of(sealed), A)
    add_keys(both, key_file)
    sentence = await refuse(await opened_with(copy, both), await exported(sealed))
    assert f"erase the account here first (keys erase {A})" in sentence


def add_keys(to: Path, other: Path) -> None:
    """Let one key file hold what another one holds, as well, in front of its own."""
    mine, theirs = json.loads(to.read_text()), json.loads(other.read_text())
    for ring, keys in theirs["keyrings"].items():
        held = mine["keyrings"].get(ring, [])
        mine["keyrings"][ring] = [*(key for key in keys if key not in held), *held]
    to.write_text(json.dumps(mine))


# -- another keyring -----------------------------------------------------------------------------


async def test_another_keyring_wraps_the_keys_again_where_the_key_file_holds_both(
    erased: EventLog, other_link: Link, key_file: Path
) -> None:
    copy = await sealed_log(other_link, key_file)
    await append(copy, [initialized(B, "Here")])
    here = await key_entry(copy, B)
    assert keyring_of(copy).head != keyring_of(erased).head
    result = await take(copy, await exported(erased))
    assert (result.appended, result.keys, result.erasures) == (9, 2, 1)
    again = await opened_with(copy, key_file)
    theirs = await records_in(again, first=2)
    assert facts(theirs) == facts(await records_in(await opened_with(erased, key_file)))
    # The account that was here before goes on with the key that it had.
    current = keyring_of(again).current_key_of(B)
    assert current is not None
    assert (f"{B}.{current.id}", current.stored) == here
    assert keyring_of(again).problems == ()
    assert not any(map(keyring_of(again).is_unfinished, keyring_of(again).tombstones.values()))


async def test_another_keyring_is_refused_where_the_key_file_lacks_the_files_keys(
    erased: EventLog, other_link: Link, tmp_path: Path
) -> None:
    copy = await sealed_log(other_link, tmp_path / "elsewhere" / "keys.json")
    await append(copy, [initialized(B, "Here")])
    sentence = await refuse(copy, await exported(erased))
    assert "holds no key for the keyring" in sentence
    assert sentence.endswith("nothing was imported")


# -- ids that must change ------------------------------------------------------------------------


@pytest.fixture
async def named(sealed: EventLog) -> Record:
    """A sealed event with a message id, the last one of `sealed`."""
    made = initialized(A, "Named", (MESSAGE_ID, "taken"))
    await append(sealed, [made])
    return (await records_in(sealed))[-1]


TAKEN = Record(1, 10**18, shared(B, C).subject, b"", ((MESSAGE_ID, "taken"),))


async def test_a_sealed_event_whose_id_is_taken_is_sealed_again_under_another(
    sealed: EventLog, named: Record, other_link: Link, key_file: Path
) -> None:
    """The id is part of what the payload is bound to."""
    copy = await sealed_log(other_link, key_file)
    await import_records(copy, [TAKEN], "test")
    lines = await exported(sealed)
    result = await take(copy, lines)
    assert (result.appended, result.renamed) == (5, 1)
    landed = (await records_in(await opened_with(copy, key_file)))[1:]
    assert facts(landed) == facts(await records_in(sealed))
    assert landed[-1].header(MESSAGE_ID) == import_id(named)
    assert landed[-1].stored != named.stored
    assert (await take(copy, lines)).appended == 0


async def test_a_log_that_does_not_seal_refuses_it_before_anything_is_written(
    sealed: EventLog, named: Record, other_link: Link, key_file: Path
) -> None:
    plain = await EventLog.create(other_link, NATSTER, LogSettings())
    plain = await opened_with(plain, key_file)
    await import_records(plain, [TAKEN], "test")
    lines = await exported(sealed)
    keys, events = lines[:-5], lines[-5:]
    sentence = await refuse(plain, [*keys, events[-1]])
    assert sentence.startswith(f"event {named.seq} is sealed and needs another message id")
    assert sentence.endswith("nothing was imported")
    # The others have no id at all, to which their payloads are bound.
    assert (await refuse(plain, lines)).startswith("event 1 is sealed and needs another message")


async def test_a_log_that_does_not_seal_takes_sealed_events_that_keep_their_ids(
    sealed: EventLog, named: Record, other_link: Link, key_file: Path
) -> None:
    plain = await EventLog.create(other_link, NATSTER, LogSettings())
    plain = await opened_with(plain, key_file)
    lines = await exported(sealed)
    assert (await take(plain, [*lines[:-5], lines[-1]])).appended == 1
    (landed,) = await records_in(await opened_with(plain, key_file))
    assert (landed.payload, landed.stored) == (named.payload, named.stored)


async def test_the_projections_of_a_moved_log_know_the_erasures(
    erased: EventLog, other_link: Link, key_file: Path
) -> None:
    copy = await moved(erased, other_link, key_file)
    fold = fold_all(ACCOUNTS, await records_in(copy))
    assert fold.documents() == fold_all(ACCOUNTS, await records_in(erased)).documents()
    assert b"After" in fold.documents()[A]
    assert SECRET.encode() not in b"".join(fold.documents().values())
