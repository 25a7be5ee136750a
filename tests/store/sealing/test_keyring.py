from __future__ import annotations

import asyncio
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from natster_tui.errors import (
    ConflictError,
    MalformedAnswerError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from natster_tui.store.connection.link import Link
from natster_tui.store.sealing.envelope import Key
from natster_tui.store.sealing.key_bucket import (
    BUCKET,
    KEYRING_ENTRY,
    TOMBSTONE_PREFIX,
    Head,
    KeyBucket,
    KeyEntry,
)
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.sealing.key_making import ensure_keys
from natster_tui.store.sealing.key_records import Missing
from natster_tui.store.sealing.key_rotation import (
    destroy,
    rewrapped_entries,
    rotate,
    switch_wrapping_key,
    write_tombstone,
)
from natster_tui.store.sealing.keyring import Keyring
from natster_tui.store.sealing.values import KeyringSealing
from natster_tui.store.settings.connection import ConnectionSettings
from tests.altering import Frame, altering
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, C
from tests.sealed_logs import put_key_entry


async def opened(link: Link, key_file: KeyFile | None, *accounts: str) -> Keyring:
    keyring = Keyring(link, key_file, "test")
    await keyring.refresh()
    await ensure_keys(keyring, accounts)
    return keyring


def key_for(keyring: Keyring, account: str) -> Key:
    key = keyring.key_of(account)
    assert key is not None
    return key


def reason(keyring: Keyring, key_id: str) -> str:
    found = keyring.find(key_id)
    assert isinstance(found, Missing)
    return found.reason


async def test_the_first_key_makes_the_file_and_the_bucket(link: Link, key_file: KeyFile) -> None:
    keyring = await opened(link, key_file, A)
    assert stat.S_IMODE(key_file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.path.parent.stat().st_mode) == 0o700
    again = await opened(link, key_file)
    assert key_for(again, A).raw == key_for(keyring, A).raw
    assert again.problems == ()
    config = (await ask_jetstream(link, f"STREAM.INFO.KV_{BUCKET}"))["config"]
    assert config.get("deny_delete", False) is False, "erasing is what it is for"


async def test_nothing_is_made_for_a_log_that_seals_nothing(link: Link, key_file: KeyFile) -> None:
    await opened(link, key_file)
    assert not key_file.exists()
    assert await KeyBucket(link, "test").newest() is None


async def test_a_thousand_accounts_and_more_get_a_key_each(link: Link, key_file: KeyFile) -> None:
    accounts = [f"A{number:04}" for number in range(1_500)]
    keyring = await opened(link, key_file, *accounts)
    again = await opened(link, key_file)
    assert {key_for(again, account).id for account in accounts} == set(keyring.wrapped)
    assert len(keyring.wrapped) == len(accounts)


async def test_two_first_writers_agree_on_one_keyring_and_one_key(
    link: Link, key_file: KeyFile
) -> None:
    first, second = (Keyring(link, key_file, name) for name in ("one", "two"))
    await asyncio.gather(ensure_keys(first, [A, B]), ensure_keys(second, [B, A, C]))
    await asyncio.gather(first.refresh(), second.refresh())
    for account in (A, B):
        assert key_for(first, account).raw == key_for(second, account).raw
    assert len((await opened(link, key_file)).wrapped) == 3
    assert len(key_file.read().keyrings) == 1, "the loser's keyring is not left in the file"


async def test_a_first_writer_with_another_key_file_is_refused(
    link: Link, key_file: KeyFile, tmp_path: Path
) -> None:
    await opened(link, key_file, A)
    other = KeyFile(tmp_path / "other.json")
    other.create()
    with pytest.raises(RefusedError, match="holds no key for the keyring"):
        await opened(link, other, B)


async def test_without_the_key_file_keys_are_unavailable_and_named_so(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A)
    name = key_for(keyring, A).id
    key_file.path.rename(key_file.path.with_suffix(".aside"))
    blind = await opened(link, key_file)
    assert "there is no key file" in reason(blind, name)
    with pytest.raises(RefusedError, match="there is no key file"):
        await ensure_keys(blind, [B])
    assert not key_file.exists(), "a key that is missing is never replaced"
    key_file.path.with_suffix(".aside").rename(key_file.path)
    assert await blind.refresh()
    assert key_for(blind, A).raw == key_for(keyring, A).raw


@pytest.mark.parametrize("what", ["nothing", "another account's", "noise", "cut"])
async def test_an_overwritten_key_is_reported_and_never_replaced(
    link: Link, key_file: KeyFile, what: str
) -> None:
    keyring = await opened(link, key_file, A, B)
    of_a, of_b = (keyring.wrapped[key_for(keyring, account).id] for account in (A, B))
    value = {
        "nothing": b"",
        "another account's": of_b.stored,
        "noise": b"\xf5NSL\x01\x11" + bytes(80),
        "cut": of_a.stored[:-1],
    }[what]
    await put_key_entry(link, f"{A}.{of_a.id}", value)
    again = await opened(link, key_file, A)
    assert reason(again, of_a.id)
    with pytest.raises(RefusedError, match=f"its data key {of_a.id} cannot be used"):
        again.key_of(A)
    await rotate(again)
    stored = (await KeyBucket(link, "look").entries_after(0, 10**15))[f"{A}.{of_a.id}"]
    assert stored.value == value
    assert key_for(again, B).raw == key_for(keyring, B).raw


async def test_a_key_that_is_gone_without_a_tombstone_is_not_an_erasure(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A, B)
    gone = keyring.wrapped[key_for(keyring, A).id]
    await keyring.bucket.erase(gone.revision)
    found = (await opened(link, key_file)).find(gone.id)
    assert isinstance(found, Missing)
    assert not found.erased
    assert "no authentic tombstone" in found.reason


# -- rotation ----------------------------------------------------------------------------------


async def test_rotation_rewraps_every_key_and_removes_the_old_one(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A, B)
    raw = key_for(keyring, A).raw
    old = keyring.keks
    backup = key_file.path.with_suffix(".backup")
    key_file.back_up(backup)
    done = await rotate(keyring)
    assert (done.removed, done.rewrapped, done.failed) == (old, 2, 0)
    again = await opened(link, key_file)
    assert again.keks == (done.new,)
    assert key_for(again, A).raw == raw
    stale = await opened(link, KeyFile(backup))
    assert "does not hold" in reason(stale, key_for(again, A).id)
    with pytest.raises(RefusedError, match="is out of date"):
        await ensure_keys(stale, [C])


@pytest.mark.parametrize("place", ["subject", "another entry", "value"])
async def test_a_rotation_that_was_told_wrong_of_a_key_does_not_lose_it(
    link: Link, settings: ConnectionSettings, key_file: KeyFile, place: str
) -> None:
    name = f"$KV.{BUCKET}.{A}.".encode()
    raw = key_for(await opened(link, key_file, A, B), A).raw

    def change(frame: Frame) -> Frame | None:
        if len(frame.words) < 5 or not frame.words[1].startswith(name):
            return None
        assert frame.body is not None
        if place == "value":
            at = frame.header_size
            return frame.with_body(frame.body[:at], frame.body[at:-1] + b"x")
        other = b"elsewhere" if place == "subject" else frame.words[1].replace(b".AA.", b".CC.")
        return Frame([frame.words[0], other, *frame.words[2:]], frame.body)

    async with altering(settings) as proxy:
        liar = await Link.open(replace(settings, servers=(proxy.url,)))
        proxy.change_one(change)
        try:
            await rotate(Keyring(liar, key_file, "test"))
        except MalformedAnswerError:
            assert place == "subject"
        finally:
            await liar.close()
    assert key_for(await opened(link, key_file), A).raw == raw


@pytest.mark.parametrize("stage", ["file", "head", "half"])
async def test_an_interrupted_rotation_leaves_everything_open_and_is_finished_by_another(
    link: Link, key_file: KeyFile, stage: str
) -> None:
    keyring = await opened(link, key_file, A, B)
    raws = {account: key_for(keyring, account).raw for account in (A, B)}
    assert keyring.head is not None
    ring = keyring.head.ring
    kek = Key.new()
    key_file.set_keyring(ring, (*key_file.read().keyrings[ring], f"k{kek.raw.hex()}"))
    await keyring.refresh()
    if stage != "file":
        await switch_wrapping_key(keyring, kek)
    if stage == "half":
        entries, _ = rewrapped_entries(keyring, kek)
        name = next(iter(entries))
        await keyring.bucket.write({name: entries[name]}, keyring.head)
    again = await opened(link, key_file, C)
    assert {account: key_for(again, account).raw for account in (A, B)} == raws
    done = await rotate(again)
    assert len(key_file.read().keyrings[ring]) == 1
    finished = await opened(link, key_file)
    assert {account: key_for(finished, account).raw for account in (A, B)} == raws
    assert {key.kek for key in finished.wrapped.values()} == {done.new}


async def test_a_writer_that_missed_a_rotation_never_wraps_with_the_old_key(
    link: Link, key_file: KeyFile
) -> None:
    """Its view is stale, but the batch is fenced: it looks again and uses the new key."""
    stale = await opened(link, key_file, A)
    done = await rotate(await opened(link, key_file))
    await ensure_keys(stale, [B])
    again = await opened(link, key_file)
    assert {key.kek for key in again.wrapped.values()} == {done.new}
    assert key_for(again, B).raw == key_for(stale, B).raw


async def test_two_rotations_at_once(link: Link, key_file: KeyFile) -> None:
    first, second = await opened(link, key_file, A, B), await opened(link, key_file)
    raw = key_for(first, A).raw
    with key_file.rotating(), pytest.raises(RefusedError, match="another natster-tui is rotating"):
        await rotate(second)
    await rotate(first)
    await rotate(second)
    assert key_for(await opened(link, key_file), A).raw == raw


async def test_one_systems_rotation_leaves_another_systems_keys(
    link: Link, key_file: KeyFile, server: object
) -> None:
    other = await Link.open(server.new_account())  # type: ignore[attr-defined] # RealServer
    try:
        here, there = await opened(link, key_file, A), await opened(other, key_file, A)
        await rotate(here)
        assert key_for(await opened(other, key_file), A).raw == key_for(there, A).raw
    finally:
        await other.close()


# -- erasing -----------------------------------------------------------------------------------


async def test_destroyed_keys_are_erased_for_everybody_and_the_others_open(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A, B)
    key_id = key_for(keyring, A).id
    onlooker = await opened(link, key_file)
    key_for(onlooker, A)
    done = await destroy(keyring, A)
    assert done.keys == (key_id,)
    assert await onlooker.refresh()
    for each in (keyring, onlooker, await opened(link, key_file)):
        found = each.find(key_id)
        assert isinstance(found, Missing)
        assert found.erased
        assert key_for(each, B)
        assert each.digest == keyring.digest != ""
    await ensure_keys(keyring, [A])
    assert key_for(keyring, A).id != key_id
    assert isinstance((await opened(link, key_file)).find(key_id), Missing)


async def test_erasing_an_entry_again_is_no_error(link: Link, key_file: KeyFile) -> None:
    keyring = await opened(link, key_file, A, B, C)
    revisions = sorted(each.revision for each in keyring.wrapped.values())
    # The server answers differently about the stream's first message, and one before it.
    for revision in (revisions[1], revisions[0], 1):
        for _again in range(2):
            await keyring.bucket.erase(revision)
    assert len((await opened(link, key_file)).wrapped) == 1


async def test_an_erasure_forgets_no_earlier_one_whose_tombstone_was_read_wrongly(
    link: Link, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = await opened(link, key_file, A)
    first = await destroy(keyring, A)
    await ensure_keys(keyring, [A])
    second = key_for(keyring, A).id
    misled = Keyring(link, key_file, "test")
    read = misled.bucket.everything
    lies = [b"not a tombstone"]

    async def read_wrongly_once() -> tuple[str, int, dict[str, KeyEntry]] | None:
        found = await read()
        if found is not None and lies:
            name = f"{TOMBSTONE_PREFIX}{A}"
            found[2][name] = replace(found[2][name], value=lies.pop())
        return found

    monkeypatch.setattr(misled.bucket, "everything", read_wrongly_once)
    await misled.refresh()
    assert misled.forged == (A,)
    await destroy(misled, A)
    for key_id in (*first.keys, second):
        found = (await opened(link, key_file)).find(key_id)
        assert isinstance(found, Missing)
        assert found.erased


async def test_neither_the_store_nor_the_key_file_of_today_opens_an_old_copy(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A, B)
    await rotate(keyring)
    old = [keyring.wrapped[key_for(keyring, A).id].stored]
    await destroy(keyring, A)
    held = key_file.read().keyrings[keyring.head.ring if keyring.head else ""]
    assert old
    for stored in old:
        for text in held:
            assert Key(bytes.fromhex(text[1:])).id.encode() not in stored


async def test_an_erasure_that_began_counts_and_is_finished_by_doing_it_again(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A)
    key_id = key_for(keyring, A).id
    await write_tombstone(keyring, A, [key_id], 1)
    found = (await opened(link, key_file)).find(key_id)
    assert isinstance(found, Missing)
    assert found.erased
    again = await opened(link, key_file)
    await destroy(again, A)
    assert key_id not in (await opened(link, key_file)).wrapped
    with pytest.raises(NotFoundError):
        await destroy(again, "NOBODY")


async def test_a_tombstone_that_somebody_else_wrote_is_not_believed(
    link: Link, key_file: KeyFile, tmp_path: Path
) -> None:
    keyring = await opened(link, key_file, A, B)
    assert keyring.head is not None
    named = json.dumps({"account": A, "keys": [key_for(keyring, A).id], "at": 1}).encode()
    forged = Key.new().seal(named, "tombstone", keyring.head.ring, A)
    for value in (forged, named, b""):
        await put_key_entry(link, f"{TOMBSTONE_PREFIX}{A}", value)
        again = await opened(link, key_file)
        assert key_for(again, A).raw == key_for(keyring, A).raw
        assert again.digest == ""
        (problem,) = again.problems
        assert f"the tombstone of {A}" in problem
    # The authentic one of one account says nothing about another.
    await destroy(keyring, B)
    entries = await KeyBucket(link, "look").entries_after(0, 10**15)
    await put_key_entry(link, f"{TOMBSTONE_PREFIX}{A}", entries[f"{TOMBSTONE_PREFIX}{B}"].value)
    assert key_for(await opened(link, key_file), A).raw == key_for(keyring, A).raw


async def test_a_stale_head_is_refused(link: Link, key_file: KeyFile) -> None:
    keyring = await opened(link, key_file, A)
    assert keyring.head is not None
    stale = Head(keyring.head.ring, keyring.head.kek, keyring.head.revision)
    await ensure_keys(keyring, [B])
    with pytest.raises(ConflictError):
        await keyring.bucket.write({}, stale)


def test_a_backup_is_a_new_private_file(key_file: KeyFile, tmp_path: Path) -> None:
    key_file.create()
    copy = tmp_path / "copy.json"
    key_file.back_up(copy)
    assert copy.read_bytes() == key_file.path.read_bytes()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="is there already"):
        key_file.back_up(copy)


# -- what changes under a keyring that is in use -------------------------------------------------


async def test_a_bucket_that_was_deleted_and_made_again_is_another_one(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A)
    old = key_for(keyring, A).id
    await ask_jetstream(link, f"STREAM.DELETE.KV_{BUCKET}")
    anew = await opened(link, key_file, A)
    assert await keyring.refresh()
    assert key_for(keyring, A).raw == key_for(anew, A).raw
    assert isinstance(keyring.find(old), Missing)
    await ensure_keys(keyring, [B])
    assert key_for(await opened(link, key_file), B).raw == key_for(keyring, B).raw


async def test_keys_of_new_accounts_are_no_news_for_who_waits_for_another(
    link: Link, key_file: KeyFile
) -> None:
    """Otherwise one lost key would have every dashboard begin anew with every new account."""
    keyring = await opened(link, key_file, A)
    onlooker = await opened(link, key_file)
    assert isinstance(onlooker.find("k0123456789abcdef"), Missing)
    await ensure_keys(keyring, [B])
    assert not await onlooker.refresh()
    assert key_for(onlooker, B).raw == key_for(keyring, B).raw
    assert isinstance(onlooker.find("k0123456789abcdef"), Missing)


async def test_a_rotation_that_ends_during_a_look_takes_no_key_away(
    link: Link, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bucket was looked at before, the key file after it."""
    keyring = await opened(link, key_file, A)
    onlooker = await opened(link, key_file)
    look = onlooker.bucket.newest
    rotations = [rotate(keyring)]

    async def look_before_it() -> tuple[str, int] | None:
        found = await look()
        if rotations:
            await rotations.pop()
        return found

    monkeypatch.setattr(onlooker.bucket, "newest", look_before_it)
    assert not await onlooker.refresh()
    assert key_for(onlooker, A).raw == key_for(keyring, A).raw


async def test_a_tombstone_that_is_wrapped_anew_during_a_look_is_not_missed(
    link: Link, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account's new key must never be known without the erasure that came before it."""
    keyring = await opened(link, key_file, A)
    onlooker = await opened(link, key_file)
    await destroy(keyring, A)
    await ensure_keys(keyring, [A])
    look = onlooker.bucket.newest
    rotations = [rotate(keyring)]

    async def look_before_it() -> tuple[str, int] | None:
        found = await look()
        if rotations:
            await rotations.pop()
        return found

    monkeypatch.setattr(onlooker.bucket, "newest", look_before_it)
    monkeypatch.setattr(onlooker, "_read_key_file", lambda: None)
    monkeypatch.setattr(onlooker, "_version_of_file", lambda: onlooker._file_version)
    await onlooker.refresh()
    assert f"{TOMBSTONE_PREFIX}{A}" in {
        f"{TOMBSTONE_PREFIX}{each}" for each in onlooker._unverified
    }


async def test_an_account_that_is_erased_while_others_get_keys_gets_a_new_one(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A)
    onlooker = await opened(link, key_file)
    old = key_for(onlooker, A).id
    await destroy(keyring, A)
    await ensure_keys(onlooker, [A, B])
    assert key_for(onlooker, A).id != old


async def test_a_key_file_that_is_out_of_date_says_so_and_knows_of_no_erasure(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A, B)
    backup = key_file.path.with_suffix(".backup")
    key_file.back_up(backup)
    await destroy(keyring, A)
    stale = await opened(link, KeyFile(backup))
    assert any("is out of date" in problem for problem in stale.problems)
    sealing = KeyringSealing(stale, seals=True)
    assert "is out of date" in sealing.seal_problem
    assert sealing.tombstones is None


async def test_keys_without_the_entry_that_names_their_keyring_are_not_begun_anew(
    link: Link, key_file: KeyFile
) -> None:
    await opened(link, key_file, A)
    for value in (b"", b'{"id":1}'):
        await put_key_entry(link, KEYRING_ENTRY, value)
        blind = await opened(link, key_file)
        assert any("_keyring" in problem for problem in blind.problems)
        with pytest.raises(RefusedError, match="_keyring"):
            await ensure_keys(blind, [B])
    assert len(key_file.read().keyrings) == 1


@pytest.mark.parametrize("place", ["a file", "a directory"])
async def test_a_key_file_that_cannot_be_made_is_a_sentence(
    link: Link, tmp_path: Path, place: str
) -> None:
    taken = tmp_path / "taken"
    if place == "a file":
        taken.touch(0o600)
        path = taken / "keys.json"
    else:
        path = taken
        path.mkdir(0o700)
    with pytest.raises(RefusedError, match="key file"):
        await opened(link, KeyFile(path), A)


def test_missing_parents_of_the_key_file_are_private_too(key_file: KeyFile) -> None:
    deep = KeyFile(key_file.path.parent / "deep" / "down" / "keys.json")
    before = os.umask(0)
    try:
        deep.create()
    finally:
        os.umask(before)
    for path in (deep.path.parent, deep.path.parent.parent, key_file.path.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(deep.path.stat().st_mode) == 0o600


async def test_an_early_tombstone_that_does_not_say_what_its_keys_were_under_counts(
    link: Link, key_file: KeyFile
) -> None:
    keyring = await opened(link, key_file, A, B)
    assert keyring.head is not None
    erased = key_for(keyring, A).id
    named = json.dumps({"account": A, "keys": [erased], "at": 1}).encode()
    (kek,) = keyring._keks
    value = kek.seal(named, "tombstone", keyring.head.ring, A)
    await put_key_entry(link, f"{TOMBSTONE_PREFIX}{A}", value)
    again = await opened(link, key_file)
    assert again.problems == ()
    found = again.find(erased)
    assert isinstance(found, Missing)
    assert found.erased
    assert not again.is_unfinished(again.tombstones[A]), "nothing says that it was interrupted"
    digest = again.digest
    await rotate(again)
    after = await opened(link, key_file)
    assert after.digest == digest
    assert after.is_erased(erased)
