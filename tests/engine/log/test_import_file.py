"""The file that import reads: it is read correctly, or refused in one sentence."""

from __future__ import annotations

import gzip
import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from natster_tui.engine.log import import_file
from natster_tui.engine.log.import_file import ImportFile
from natster_tui.errors import UsageError
from natster_tui.events.log.key_lines import KeyLine, encode_key_line
from natster_tui.events.natster import NATSTER
from tests.conftest import RECORDINGS

STANDARD = RECORDINGS / "01_standard.events.jsonl"
GOOD = STANDARD.read_bytes().splitlines(keepends=True)
BOM = b"\xef\xbb\xbf"
KEYRING = encode_key_line(KeyLine("_keyring", b"{}")).encode() + b"\n"
KEY = encode_key_line(KeyLine("AA.k0123456789abcdef", b"\xf5")).encode() + b"\n"


def written(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    return str(path)


def refused(path: str) -> str:
    with pytest.raises(UsageError) as caught:
        ImportFile.read(path, NATSTER)
    return caught.value.sentence


@pytest.mark.parametrize(
    "content",
    [
        b"".join(GOOD),
        BOM + b"".join(GOOD),
        BOM + b"".join(GOOD[:3]) + BOM + b"".join(GOOD[3:]),
        b"".join(GOOD).replace(b"\n", b"\r\n"),
        b"".join(GOOD).rstrip(),
        b"\n  \n".join(GOOD) + b"\n\n",
    ],
    ids=["plain", "mark", "two marks", "CRLF", "no last end", "empty lines"],
)
def test_text_is_read_whatever_its_ends_and_marks(tmp_path: Path, content: bytes) -> None:
    expected = list(ImportFile.read(str(STANDARD), NATSTER).events)
    assert list(ImportFile.read(written(tmp_path, content), NATSTER).events) == expected


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(GOOD[0]), "compressed with gzip: unpack it first"),
        (GOOD[0].decode().encode("utf-16"), "UTF-16 text: convert it first"),
        (GOOD[0].decode().encode("utf-16-le"), "UTF-16 text: convert it first"),
        (GOOD[0].decode().encode("utf-16-be"), "UTF-16 text: convert it first"),
        (GOOD[0] + b'{"seq":1,"x":"\xe9"}', "line 2 of log.jsonl .*it is not UTF-8 text"),
        (GOOD[0] + GOOD[1][:40], "line 2 of log.jsonl .*it is not JSON"),
        (b"[" + GOOD[0], "line 1 of log.jsonl .*it is not JSON"),
    ],
)
def test_anything_else_is_refused_by_its_name(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(UsageError, match=f"{what}.*nothing was imported"):
        ImportFile.read(written(tmp_path, content), NATSTER)


@pytest.mark.parametrize(
    "bad",
    [
        "{not json", "[]", '{"seq":1}',
        '{"seq":1,"time":"2026-11-23T03:13:15Z","subject":"other.subject","payload":""}',
        '{"seq":1,"time":"2026-11-23T03:13:15Z","subject":"$JS.API.STREAM.DELETE.X","payload":""}',
        '{"seq":1,"time":"2026-11-23T03:13:15Z","subject":"natster.events.A.B.C","payload":""}',
        KEYRING.decode(),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_nothing_is_imported(tmp_path: Path, bad: str) -> None:
    content = b"".join([*GOOD[:2], b"\n", bad.strip().encode() + b"\n", *GOOD[2:]])
    with pytest.raises(UsageError, match=r"line 4 of log\.jsonl .*nothing was imported"):
        ImportFile.read(written(tmp_path, content), NATSTER)


def test_keys_stand_before_the_events_the_keyring_first(tmp_path: Path) -> None:
    read = ImportFile.read(written(tmp_path, KEYRING + KEY + GOOD[0]), NATSTER)
    assert [key.name for key in read.keys] == ["_keyring", "AA.k0123456789abcdef"]
    assert len(list(read.events)) == 1
    assert "line 1 of log.jsonl" in refused(written(tmp_path, KEY + KEYRING))
    assert "line 2 of log.jsonl" in refused(written(tmp_path, KEYRING + KEYRING))


def test_what_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    assert refused(str(tmp_path)).endswith("cannot be read: is a directory")
    assert refused(str(tmp_path / "x")).endswith("cannot be read: no such file or directory")


# -- without an end ------------------------------------------------------------------------------


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_file, "LONGEST_LINE", 1 << 20)
    assert refused("/dev/zero") == (
        "line 1 of zero is longer than 1 MiB, which no event is; nothing was imported"
    )
    with (tmp_path / "log.jsonl").open("wb") as sparse:
        sparse.write(GOOD[0])
        sparse.truncate(1 << 40)  # a terabyte of nothing
    assert "line 2 of log.jsonl is longer" in refused(str(tmp_path / "log.jsonl"))


def test_a_pipe_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_file, "LONGEST_PIPE", 1 << 20)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def fill() -> None:
        with suppress(BrokenPipeError), pipe.open("wb") as into:
            while True:
                into.write(GOOD[0])

    filling = threading.Thread(target=fill)
    filling.start()
    assert refused(str(pipe)).startswith("pipe is longer than 1 MiB: write it to a file")
    filling.join(10)
    assert not filling.is_alive()


def test_a_large_file_is_read_again_and_must_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_file, "KEPT_DECODED", 100)
    path = written(tmp_path, KEYRING + b"".join(GOOD))
    read = ImportFile.read(path, NATSTER)
    assert not isinstance(read.events, list)
    assert [key.name for key in read.keys] == ["_keyring"]
    expected = list(ImportFile.read(str(STANDARD), NATSTER).events)
    assert list(read.events) == list(read.events) == expected
    with Path(path).open("ab") as more:
        more.write(GOOD[0])
    with pytest.raises(UsageError, match=r"log\.jsonl changed while it was imported"):
        list(read.events)
