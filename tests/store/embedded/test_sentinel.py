import hashlib
import hmac
import json
import stat
from pathlib import Path

import pytest

from natster_tui.errors import RefusedError
from natster_tui.store.embedded.sentinel import (
    NO_LOG_YET,
    RecordedLog,
    check_store,
    is_made_with,
    open_store,
    read_sentinel,
    write_sentinel,
)
from natster_tui.store.files.private_files import write_private
from natster_tui.store.sealing.key_file import KeyFile

KEY = "k" + "1f" * 32
OTHER_KEY = "k" + "2e" * 32
LOG = RecordedLog("NATSTER_EVENTS", "2026-11-23T05:41:51.754524Z")


class Store:
    """The files of a store, as nats-server would lay them out."""

    def __init__(self, path: Path) -> None:
        self.dir = path / "store"
        self.dir.mkdir(parents=True)
        self.sentinel = self.dir / "sentinel.json"
        self.key_file = path / "keys.json"

    def holding(self, stream: str = "NATSTER_EVENTS") -> "Store":
        (self.dir / "jetstream" / "$G" / "streams" / stream).mkdir(parents=True)
        return self

    def give_key(self, key: str) -> None:
        """Another key file with this key, in the place of the one that is there."""
        value = {"natster-tui key file": 1, "store": key, "keyrings": {}}
        self.key_file.touch(0o600)
        self.key_file.write_text(json.dumps(value))

    def opened(self) -> str:
        return open_store(self.dir, self.sentinel, KeyFile(self.key_file))

    def refusal(self) -> str:
        files = self.files()
        with pytest.raises(RefusedError) as caught:
            self.opened()
        assert self.files() == files, "a refusal changes nothing"
        assert "\n" not in caught.value.sentence
        return caught.value.sentence

    def files(self) -> dict[str, bytes]:
        paths = self.dir.parent.rglob("*")
        return {str(path): path.read_bytes() for path in paths if path.is_file()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_an_empty_store_gets_a_private_key_and_a_sentinel_without_a_log(store: Store) -> None:
    key = store.opened()
    assert KeyFile(store.key_file).read().store == key
    assert key.startswith("k")
    assert len(key) == 65
    assert read_sentinel(store.sentinel) == NO_LOG_YET
    for file in (store.key_file, store.sentinel):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [path for path in store.dir.iterdir() if path != store.sentinel], "no drafts left"


def test_the_key_stays_the_same(store: Store) -> None:
    assert store.opened() == store.opened()


def test_a_key_file_elsewhere_is_made_in_a_private_directory(store: Store, tmp_path: Path) -> None:
    store.key_file = tmp_path / "config" / "natster" / "key"
    store.opened()
    assert stat.S_IMODE(store.key_file.parent.stat().st_mode) == 0o700


def test_a_recorded_log_is_signed_as_documented(store: Store) -> None:
    write_sentinel(store.sentinel, KEY, LOG)
    value = json.loads(store.sentinel.read_bytes())
    message = (
        len(LOG.stream).to_bytes(8, "big")
        + LOG.stream.encode()
        + len(LOG.created).to_bytes(8, "big")
        + LOG.created.encode()
    )
    signature = hmac.new(KEY.encode(), message, hashlib.sha256).hexdigest()
    assert value == {"log": LOG.stream, "created": LOG.created, "hmac": signature}
    assert list(value) == ["log", "created", "hmac"]
    assert read_sentinel(store.sentinel) == LOG


def test_recording_the_same_log_again_writes_nothing(store: Store) -> None:
    write_sentinel(store.sentinel, KEY, LOG)
    before = store.sentinel.stat()
    write_sentinel(store.sentinel, KEY, LOG)
    assert store.sentinel.stat().st_ino == before.st_ino


def test_a_store_with_its_own_key_and_log_is_opened(store: Store) -> None:
    key = store.opened()
    store.holding()
    write_sentinel(store.sentinel, key, LOG)
    assert store.opened() == key
    check_store(store.dir, store.sentinel, key)


def test_a_crash_between_making_the_log_and_recording_it_is_not_refused(store: Store) -> None:
    key = store.opened()
    store.holding()
    assert store.opened() == key
    assert read_sentinel(store.sentinel) == NO_LOG_YET


def test_not_even_then_another_key_is_accepted(store: Store) -> None:
    store.opened()
    store.holding()
    store.give_key(OTHER_KEY)
    assert "was not made with this key" in store.refusal()


def test_a_wrong_key_is_refused(store: Store) -> None:
    key = store.opened()
    store.holding()
    write_sentinel(store.sentinel, key, LOG)
    store.give_key(OTHER_KEY)
    assert "was not made with this key" in store.refusal()
    with pytest.raises(RefusedError):
        check_store(store.dir, store.sentinel, OTHER_KEY)


def test_a_missing_key_file_is_never_made_anew_for_a_store_that_holds_streams(store: Store) -> None:
    store.opened()
    store.holding()
    store.key_file.unlink()
    sentence = store.refusal()
    assert str(store.key_file) in sentence
    assert "missing" in sentence
    assert not store.key_file.exists()


def test_a_missing_or_damaged_sentinel_is_refused(store: Store) -> None:
    store.opened()
    store.holding()
    for damaged in (b"", b"[]", b"{}", b'{"log":1,"created":"","hmac":""}', b"[" * 99_999):
        store.sentinel.write_bytes(damaged)
        assert "missing or damaged" in store.refusal()
    store.sentinel.unlink()
    assert str(store.sentinel) in store.refusal()


@pytest.mark.parametrize("field", ["log", "created", "hmac"])
def test_a_changed_sentinel_is_refused(store: Store, field: str) -> None:
    key = store.opened()
    store.holding()
    write_sentinel(store.sentinel, key, LOG)
    value = json.loads(store.sentinel.read_bytes())
    value[field] = value[field][:-1]
    store.sentinel.write_text(json.dumps(value))
    assert "was not made with this key" in store.refusal()


def test_what_belongs_to_one_text_cannot_be_moved_to_the_other(store: Store) -> None:
    write_sentinel(store.sentinel, KEY, RecordedLog("AB", "C"))
    value = json.loads(store.sentinel.read_bytes())
    store.sentinel.write_text(json.dumps({**value, "log": "A", "created": "BC"}))
    store.holding("A")
    store.give_key(KEY)
    assert "was not made with this key" in store.refusal()


def test_a_store_swapped_for_another_is_refused(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    for each in (store, other):
        key = each.opened()
        each.holding()
        write_sentinel(each.sentinel, key, LOG)
    store.dir.rename(tmp_path / "aside")
    other.dir.rename(store.dir)
    assert "was not made with this key" in store.refusal()


def test_a_recorded_log_that_is_gone_is_not_started_over(store: Store) -> None:
    key = store.opened()
    write_sentinel(store.sentinel, key, LOG)
    assert "NATSTER_EVENTS" in store.refusal()
    store.holding("KV_PROJ_ACCOUNT")
    assert "is gone" in store.refusal()
    store.key_file.unlink()
    store.refusal()
    assert not store.key_file.exists()


def test_an_empty_store_takes_a_new_key(store: Store) -> None:
    store.opened()
    store.key_file.unlink()
    key = store.opened()
    store.holding()
    assert store.opened() == key


def test_a_key_file_that_others_can_read_is_refused(store: Store) -> None:
    store.opened()
    store.key_file.chmod(0o640)
    assert "chmod 600" in store.refusal()


@pytest.mark.parametrize(
    "content",
    ["", "true", "12345678", KEY, "[]", "{}", "é"]
    + [
        json.dumps({"natster-tui key file": 1, "store": key, "keyrings": {}})
        for key in (KEY[1:], KEY + "0", KEY.upper(), 1)
    ],
)
def test_a_file_that_holds_no_key_is_refused_and_kept(store: Store, content: str) -> None:
    store.key_file.touch(0o600)
    store.key_file.write_text(content)
    sentence = store.refusal()
    assert "is not a key file" in sentence
    assert not content or content not in sentence


def test_a_key_file_of_a_later_version_is_kept_and_named_so(store: Store) -> None:
    store.give_key(KEY)
    later = store.key_file.read_text().replace(": 1,", ": 2,", 1)
    store.key_file.write_text(later)
    assert "later version" in store.refusal()


def test_a_sentinel_and_a_key_file_are_matched_without_refusing(store: Store) -> None:
    assert not is_made_with(store.sentinel, KeyFile(store.key_file))
    store.opened()
    assert is_made_with(store.sentinel, KeyFile(store.key_file))
    store.give_key(OTHER_KEY)
    assert not is_made_with(store.sentinel, KeyFile(store.key_file))


def test_a_private_file_that_exists_is_kept_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_private(file, b"first", replace=False)
    with pytest.raises(FileExistsError):
        write_private(file, b"second", replace=False)
    assert file.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [file]
