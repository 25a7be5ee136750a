"""Whether the embedded server may open a store: its key, and the sentinel beside the store.

With a wrong key nats-server starts and reports no streams, and creating the existing stream then
deletes its files. So this module checks the key from files alone, before a server is started.

The sentinel is JSON, `{"log","created","hmac"}`: the log's stream, its creation time as reported
by the server, and the HMAC-SHA256 of both with the store's key, each preceded by its length in
eight bytes. (The server uses the same key and function on the names of accounts and streams. None
of them begins with a zero byte, as these lengths do.) It is in the store's directory, beside the
server's own `jetstream`, so it moves with the store.

Both texts are empty from before the server's first start until the log is recorded. A crash in
between leaves a store that only its own key opens.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from natster_tui.errors import RefusedError
from natster_tui.store.files.models import StoredModel
from natster_tui.store.files.private_files import write_private
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.text.safe_text import safe_text

_UNTOUCHED = "nothing was started and nothing was changed"


@dataclass(frozen=True, slots=True)
class RecordedLog:
    """The log that a store is known to hold; `created` as the server wrote it (RFC 3339)."""

    stream: str
    created: str


NO_LOG_YET = RecordedLog("", "")
"""The sentinel's content before a log is recorded."""


def open_store(store_dir: Path, sentinel_path: Path, key_file: KeyFile) -> str:
    """The key to start a server on `store_dir` with.

    An empty store gets a sentinel, and a new key if there is none. Raises RefusedError if the
    server must not be started, and OSError.
    """
    if key_file.exists():
        key = key_file.read().store
        check_store(store_dir, sentinel_path, key)
    else:
        if holds_streams(store_dir):
            raise RefusedError(
                f"the key file {key_file} is missing, and without it nothing can read the "
                f"store in {_shown(store_dir)}: put the key file back, or name it with --key-file; "
                f"{_UNTOUCHED}"
            )
        _refuse_lost_log(store_dir, sentinel_path)
        key = key_file.create().store
    if not holds_streams(store_dir):
        write_sentinel(sentinel_path, key, NO_LOG_YET)
    return key


def check_store(store_dir: Path, sentinel_path: Path, key: str) -> None:
    """Raise RefusedError unless a server with this key may be started on the store.

    A store that holds streams needs a sentinel made with the key. If the sentinel records a log,
    the store must hold that log. An empty store has no owner yet. Reads only; raises OSError too.
    """
    if not holds_streams(store_dir):
        _refuse_lost_log(store_dir, sentinel_path)
        return
    if read_sentinel(sentinel_path) is None:
        raise RefusedError(
            f"the store in {_shown(store_dir)} holds a log, but {_shown(sentinel_path)}, which "
            "says which key it was made with, is missing or damaged: put it back from where the "
            f"store came from, or use another directory; {_UNTOUCHED}"
        )
    if not _is_signed(sentinel_path, key):
        raise RefusedError(
            f"the store in {_shown(store_dir)} was not made with this key: put back the key file "
            f"that belongs to it, or the directory that belongs to the key; {_UNTOUCHED}"
        )
    _refuse_lost_log(store_dir, sentinel_path)


def holds_streams(store_dir: Path) -> bool:
    """Whether a server has stored a stream there, in any account."""
    return any(store_dir.glob("jetstream/*/streams/*"))


def awaits_first_log(store_dir: Path, sentinel_path: Path) -> bool:
    """Whether no log was ever created there, by the files."""
    nothing_recorded = read_sentinel(sentinel_path) in (None, NO_LOG_YET)
    return nothing_recorded and not holds_streams(store_dir)


def read_sentinel(sentinel_path: Path) -> RecordedLog | None:
    """The sentinel's content, not verified; None if it is missing or cannot be read."""
    read = _read(sentinel_path)
    return None if read is None else read[0]


def write_sentinel(sentinel_path: Path, key: str, log: RecordedLog) -> None:
    """Record a log with the key, atomically. Writes nothing if it is already recorded."""
    signature = _signature(key, log)
    if _read(sentinel_path) != (log, signature):
        value = {"log": log.stream, "created": log.created, "hmac": signature}
        write_private(sentinel_path, json.dumps(value).encode() + b"\n")


def is_made_with(sentinel_path: Path, key_file: KeyFile) -> bool:
    """Whether the sentinel was made with the key in a file; False if either is missing."""
    try:
        return _is_signed(sentinel_path, key_file.read().store)
    except (OSError, RefusedError):
        return False


def _refuse_lost_log(store_dir: Path, sentinel_path: Path) -> None:
    recorded = read_sentinel(sentinel_path)
    if recorded is None or recorded == NO_LOG_YET:
        return
    streams = store_dir.glob("jetstream/*/streams/*")
    if not any(stream.name == recorded.stream for stream in streams):
        raise RefusedError(
            f"the log {safe_text(recorded.stream)} that was in {_shown(store_dir)} is gone: put "
            f"it back from a backup, or use another directory to start an empty log; {_UNTOUCHED}"
        )


class SentinelFile(StoredModel):
    """The sentinel as stored in its file."""

    log: str
    created: str
    hmac: str


def _read(sentinel_path: Path) -> tuple[RecordedLog, str] | None:
    """The sentinel's content and signature; None if it is missing or cannot be read."""
    try:
        read = SentinelFile.model_validate_json(sentinel_path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    if not all(text.isprintable() for text in (read.log, read.created, read.hmac)):
        return None
    return RecordedLog(read.log, read.created), read.hmac


def _is_signed(sentinel_path: Path, key: str) -> bool:
    read = _read(sentinel_path)
    if read is None:
        return False
    log, signature = read
    return hmac.compare_digest(signature.encode(), _signature(key, log).encode())


def _signature(key: str, log: RecordedLog) -> str:
    texts = (log.stream.encode(), log.created.encode())
    message = b"".join(len(text).to_bytes(8, "big") + text for text in texts)
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def _shown(path: Path) -> str:
    return safe_text(str(path))
