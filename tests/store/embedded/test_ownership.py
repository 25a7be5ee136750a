"""Which directories may be data directories; nothing is changed to find that out."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from natster_tui.errors import UsageError
from natster_tui.store.embedded.data_directory import DataDirectory
from natster_tui.store.embedded.ownership import MARK, refuse_unless_ours
from natster_tui.store.embedded.sentinel import NO_LOG_YET, write_sentinel
from natster_tui.store.embedded.server import acquire

NAMES = ("run", "store", "store/jetstream")
FILES = ("server.log", "server.lock", "server.token", "server.json", "server.port")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory that was made as a data directory."""
    path = tmp_path / "data"
    DataDirectory.at(path, tmp_path / "keys.json", temporary=False).create()
    return path


def snapshot(path: Path) -> dict[str, object]:
    """Everything below a directory: kinds, permissions and contents."""
    found: dict[str, object] = {}
    for each in [path, *path.rglob("*")]:
        status = each.lstat()
        content = each.read_bytes() if each.is_file() and not each.is_symlink() else None
        found[str(each)] = (status.st_mode, status.st_ino, status.st_mtime_ns, content)
    return found


async def refusal(path: Path) -> str:
    """The refusal's sentence; nothing below the directory's parent has changed."""
    before = snapshot(path.parent)
    with pytest.raises(UsageError) as caught:
        await acquire(path, key_file=path.parent / "keys" / "keys.json")
    assert snapshot(path.parent) == before
    assert "\n" not in caught.value.sentence
    return caught.value.sentence


@pytest.mark.parametrize("name", ["run", "store"])
async def test_a_directory_with_other_files_under_our_names_is_refused_and_kept(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "project" / name).mkdir(parents=True)
    (tmp_path / "project" / name / "precious.txt").write_text("mine")
    sentence = await refusal(tmp_path / "project")
    assert f"holds {name}, which is a name that one uses" in sentence


@pytest.mark.parametrize("name", FILES)
async def test_a_file_that_is_not_ours_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / name).write_text("mine")
    assert f"holds {name}" in await refusal(tmp_path / "project")


@pytest.mark.parametrize("name", [*NAMES, *FILES, "store/sentinel.json"])
@pytest.mark.parametrize("dangling", [False, True])
async def test_a_symbolic_link_under_one_of_our_names_is_refused(
    data: Path, name: str, dangling: bool
) -> None:
    entry, target = data / name, data.parent / "target"
    if entry.is_dir():
        entry.rename(data.parent / "aside")
    else:
        entry.unlink(missing_ok=True)
    if not dangling and name in NAMES:
        target.mkdir()
        (target / "precious.txt").write_text("mine")
    elif not dangling:
        target.write_text("mine")
    entry.symlink_to(target)
    sentence = await refusal(data)
    assert f"{entry} is a symbolic link" in sentence


async def test_something_of_another_kind_under_one_of_our_names_is_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "server.log").mkdir()
    assert "server.log is no file" in await refusal(data)
    (data / "server.log").rmdir()
    (data / "run").rmdir()
    (data / "run").write_text("mine")
    assert "run is no directory" in await refusal(data)
    (data / "run").unlink()
    os.mkfifo(data / "server.port")
    assert "server.port is no file" in await refusal(data)
    (data / "server.port").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(data)  # the path of a socket must be short
        listener.bind("server.json")
    assert "server.json is no file" in await refusal(data)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
async def test_a_directory_that_others_may_write_to_is_refused(data: Path, mode: int) -> None:
    data.chmod(mode)
    sentence = await refusal(data)
    assert sentence.startswith(f"others may write to {data}: ")
    data.chmod(0o755)
    refuse_unless_ours(data)


async def test_a_directory_that_others_may_replace_is_refused(data: Path) -> None:
    data.parent.chmod(0o777)
    assert f"others may write to {data.parent}, and so replace" in await refusal(data)
    with pytest.raises(UsageError, match="and so replace"):
        refuse_unless_ours(data.parent / "not" / "made" / "yet")
    data.parent.chmod(0o1777)
    refuse_unless_ours(data)
    refuse_unless_ours(data.parent / "not" / "made" / "yet")


async def test_a_link_to_a_directory_counts_where_the_link_lies_as_well(data: Path) -> None:
    shared = data.parent / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (shared / "link").symlink_to(data)
    assert f"others may write to {shared}" in await refusal(shared / "link")
    shared.chmod(0o755)
    refuse_unless_ours(shared / "link")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
async def test_a_directory_of_another_user_is_refused(data: Path) -> None:
    os.chown(data, 54_321, -1)
    assert "belongs to another user" in await refusal(data)


async def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert "is no directory" in await refusal(tmp_path / "file")


def test_a_new_directory_is_marked_and_an_empty_one_may_be_used(tmp_path: Path) -> None:
    for name in ("run", "store"):
        (tmp_path / "empty" / name).mkdir(parents=True)
    for path in (tmp_path / "new", tmp_path / "empty"):
        DataDirectory.at(path, None, temporary=False).create()
        assert (path / "server.lock").read_bytes() == MARK


@pytest.mark.parametrize("by", ["token", "sentinel"])
def test_a_directory_of_an_earlier_release_is_known_and_marked(tmp_path: Path, by: str) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "server.lock").touch()
    (tmp_path / "server.log").write_text("[1] 2026/11/29 03:02:50 [INF] Starting nats-server\n")
    if by == "token":
        (tmp_path / "server.token").write_text("t" + "0" * 64 + "\n")
    else:
        write_sentinel(tmp_path / "store" / "sentinel.json", "k" + "0" * 64, NO_LOG_YET)
    DataDirectory.at(tmp_path, None, temporary=False).create()
    assert (tmp_path / "server.lock").read_bytes() == MARK
