"""What is remembered of a place stands in a file that only we write, without secrets."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from natster_tui.preferences.memory import Memory, Remembered
from natster_tui.preferences.place import Place, place_of
from natster_tui.store.settings.connection import ConnectionSettings

SEEN = Remembered(
    theme="nord", orders={"account": ("name", True)}, shares={"left": 70}, filter="type:shared"
)


def kept(path: Path) -> Remembered:
    return Memory(path, "prod").remembered


def test_what_was_kept_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "new" / "place.json"
    assert kept(path) == Remembered()
    Memory(path, "prod").keep(SEEN)
    assert kept(path) == SEEN.model_copy(update={"place": "prod"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["place.json"]


def test_each_place_has_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    servers = ("nats://a:4222",)
    places = [
        Place(),
        Place(("demo",)),
        place_of(None, "LOG", "/data"),
        place_of(None, "LOG", "/other"),
        place_of(ConnectionSettings(servers), "LOG"),
        place_of(ConnectionSettings(servers), "LOG2"),
        place_of(ConnectionSettings(servers, context="prod"), "LOG"),
    ]
    for number, place in enumerate(places, 1):
        Memory.of_user(place).keep(Remembered(shares={"left": number}))
    for number, place in enumerate(places, 1):
        assert Memory.of_user(place).remembered.shares == {"left": number}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"program": "other"}',
        b'{"program": "natster-tui", "shares": {"left": "wide"}}',
        b'{"program": "natster-tui", "shares": {"left": 0}}',
        b'\xff{"program": "natster-tui"}',
        b"x" * 100_000,
    ],
)
def test_a_damaged_or_foreign_file_is_kept_and_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "place.json"
    path.write_bytes(content)
    memory = Memory(path, "prod")
    assert memory.remembered == Remembered()
    assert "is damaged, or not ours: nothing is remembered until you move it" in memory.problem
    memory.keep(SEEN)
    assert path.read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(SEEN.model_dump_json().encode())
    path = tmp_path / "place.json"
    path.symlink_to(elsewhere)
    memory = Memory(path, "prod")
    assert memory.remembered == Remembered()
    memory.keep(Remembered(filter="x"))
    assert path.is_symlink()
    assert b"nord" in elsewhere.read_bytes()


def test_a_filter_with_a_secret_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    Memory(path).keep(Remembered(theme="nord", filter="nats://ada:hush@host"))
    assert b"hush" not in path.read_bytes()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    memory = Memory(tmp_path / "sub" / "place.json")
    memory.keep(SEEN)
    assert "cannot be written (permission denied)" in memory.problem
    tmp_path.chmod(0o700)
