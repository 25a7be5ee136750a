"""The key file: its real path, who may use it, and its content."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from natster_tui.errors import RefusedError
from natster_tui.store.connection.link import Link
from natster_tui.store.files import locks
from natster_tui.store.sealing import key_file as key_file_module
from natster_tui.store.sealing.choice import SealingChoice
from natster_tui.store.sealing.key_file import KeyFile, keys_of_ring, new_key
from natster_tui.store.sealing.key_making import ensure_keys
from natster_tui.store.sealing.key_rotation import destroy, rotate
from natster_tui.store.sealing.keyring import Keyring
from tests.making_logs import A, B

RING = "r0123456789abcdef"


@pytest.fixture
def real(tmp_path: Path) -> KeyFile:
    """A key file with one keyring."""
    file = KeyFile(tmp_path / "safe" / "keys.json")
    file.create()
    file.set_keyring(RING, [new_key()])
    return file


def link_to(target: Path, at: Path) -> KeyFile:
    at.parent.mkdir(parents=True, exist_ok=True)
    at.symlink_to(target)
    return KeyFile(at)


def test_a_linked_key_file_is_replaced_where_it_really_lies(real: KeyFile, tmp_path: Path) -> None:
    linked = link_to(real.path, tmp_path / "config" / "keys.json")
    key = new_key()
    linked.set_keyring(RING, [key])
    assert linked.path.is_symlink()
    assert real.read().keyrings == {RING: (key,)}
    assert [path.name for path in linked.path.parent.iterdir()] == ["keys.json"], "no draft there"
    with linked.rotating(), pytest.raises(RefusedError, match="another natster-tui"):
        real.rotating().__enter__()


async def test_rotating_and_erasing_leave_no_removed_key_behind_a_link(
    link: Link, tmp_path: Path
) -> None:
    real = KeyFile(tmp_path / "safe" / "keys.json")
    real.path.parent.mkdir()
    # Two links, one of them relative, and nothing at the end of them yet.
    middle = link_to(Path("keys.json"), real.path.with_name("link.json"))
    linked = link_to(middle.path, tmp_path / "config" / "keys.json")
    keyring = Keyring(link, linked, "test")
    await keyring.refresh()
    await ensure_keys(keyring, [A, B])
    before = real.path.read_bytes()
    (old,) = next(iter(real.read().keyrings.values()))
    await rotate(keyring)
    (middle_key,) = next(iter(real.read().keyrings.values()))
    assert real.path.read_bytes() != before
    await destroy(keyring, A)
    assert linked.path.is_symlink()
    assert middle.path.is_symlink()
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert old.encode() not in file.read_bytes(), file
            assert middle_key.encode() not in file.read_bytes(), file
    assert stat.S_IMODE(real.path.stat().st_mode) == 0o600


def test_a_link_to_itself_is_a_sentence(tmp_path: Path) -> None:
    file = link_to(tmp_path / "keys.json", tmp_path / "keys.json")
    for use in (file.read, file.create, file.exists):
        with pytest.raises(RefusedError, match="leads back to itself"):
            use()
    assert "leads back to itself" in keys_of_ring(file, RING)[1]
    assert file.version() == (0, 0, 0)


def test_a_key_file_that_others_may_replace_is_refused(real: KeyFile, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    linked = link_to(real.path, shared / "keys.json")
    for directory in (real.path.parent, shared):
        directory.chmod(0o777)
        with pytest.raises(RefusedError, match=f"others may write to {directory}"):
            linked.read()
        directory.chmod(0o1777)
        linked.read()
        directory.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_user_is_refused(real: KeyFile) -> None:
    os.chown(real.path, 54_321, -1)
    with pytest.raises(RefusedError, match="belongs to another user"):
        real.read()


def test_a_lock_is_not_taken_through_a_link(real: KeyFile, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    real.path.with_name("keys.json.lock").unlink()
    real.path.with_name("keys.json.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(RefusedError, match="cannot be written"), real.locked():
        pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_only_our_own_drafts_are_removed(real: KeyFile, tmp_path: Path) -> None:
    ours = real.path.with_name(".keys.json.0123456789ab")
    theirs = real.path.with_name(".keys.json.0123456789ac")
    linked = real.path.with_name(".keys.json.0123456789ad")
    ours.write_bytes(real.path.read_bytes())
    theirs.write_text("mine")
    (tmp_path / "precious").write_bytes(real.path.read_bytes())
    linked.symlink_to(tmp_path / "precious")
    real.set_keyring(RING, [new_key()])
    assert not ours.exists()
    assert theirs.read_text() == "mine"
    assert linked.is_symlink()


def test_fields_that_a_later_release_adds_are_ignored(real: KeyFile) -> None:
    value = json.loads(real.path.read_bytes()) | {"comment": "added later"}
    real.path.write_text(json.dumps(value))
    assert RING in real.read().keyrings


@pytest.mark.parametrize(
    "keyrings", [{RING: "k" + "0" * 64}, {RING: ["k" + "0" * 63]}, {RING: [1]}, [], None]
)
def test_a_damaged_keyring_is_refused_and_not_quoted(real: KeyFile, keyrings: object) -> None:
    value = json.loads(real.path.read_bytes()) | {"keyrings": keyrings}
    real.path.write_text(json.dumps(value))
    with pytest.raises(RefusedError, match="is not a key file of natster-tui") as caught:
        real.read()
    assert caught.value.__cause__ is None
    assert "000000" not in caught.value.sentence


def test_a_system_without_file_locks_is_told_before_anything_is_sealed(
    real: KeyFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(key_file_module, "LOCKS_SUPPORTED", False)
    assert locks.NOT_SUPPORTED in keys_of_ring(real, RING)[1]
    other = KeyFile(tmp_path / "other" / "keys.json")
    with pytest.raises(RefusedError, match="as Linux and macOS have them"):
        other.create()
    assert not other.path.parent.exists()
    monkeypatch.setattr("natster_tui.store.sealing.choice.LOCKS_SUPPORTED", False)
    with pytest.raises(RefusedError, match="--sealing off"):
        assert SealingChoice(None, real.path).for_new_log
    assert not SealingChoice(False, real.path).for_new_log
