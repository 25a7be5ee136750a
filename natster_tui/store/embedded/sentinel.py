"""Whether the embedded server may open a store: its key, and the sentinel beside the store.

With a wrong key nats-server starts, reports that no stream exists, and a create of the existing
name then deletes its files. So the question is answered here, from files alone, before a server
is started.

The sentinel is JSON, `{"log","created","hmac"}`: the log's stream, its creation time as the
server tells it, and HMAC-SHA256 of both under the store's key, each preceded by its length in
eight bytes. (The server feeds the same key to the same function, over the names of accounts and
streams; none of those begins with a zero byte, as these lengths do.) It stands inside the store's
directory, beside the server's own `jetstream`, so that a store that is moved brings its sentinel.

Both texts are empty from before the server's first start until the log was recorded: a crash in
between leaves a store that its own key still opens, and no other.
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
"""What the sentinel says before a log was recorded."""


def open_store(store_dir: Path, sentinel_path: Path, key_file: KeyFile) -> str:
    """The key to start a server on `store_dir` with.

    A store that holds nothing gets a sentinel, and a new key if there is none. Raises
    RefusedError when the server must not be started, and OSError.
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

    A store that holds streams needs a sentinel made with the key; one whose sentinel records a
    log needs that log. An empty store is nobody's yet. Reads only; raises OSError as well.
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
    """Whether a server has stored any stream there, of whatever account."""
    return any(store_dir.glob("jetstream/*/streams/*"))


def awaits_first_log(store_dir: Path, sentinel_path: Path) -> bool:
    """Whether no log was ever made there, as far as the files tell."""
    nothing_recorded = read_sentinel(sentinel_path) in (None, NO_LOG_YET)
    return nothing_recorded and not holds_streams(store_dir)


def read_sentinel(sentinel_path: Path) -> RecordedLog | None:
    """What the sentinel says, unchecked; None when there is none, or none that can be read."""
    read = _read(sentinel_path)
    return None if read is None else read[0]


def write_sentinel(sentinel_path: Path, key: str, log: RecordedLog) -> None:
    """Record a log under the key, atomically. Writes nothing when just that is recorded."""
    signature = _signature(key, log)
    if _read(sentinel_path) != (log, signature):
        value = {"log": log.stream, "created": log.created, "hmac": signature}
        write_private(sentinel_path, json.dumps(value).encode() + b"\n")


def is_made_with(sentinel_path: Path, key_file: KeyFile) -> bool:
    """Whether the sentinel was made with the key in a file; False also if either is missing."""
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
    """The sentinel as it stands in its file."""

    log: str
    created: str
    hmac: str


def _read(sentinel_path: Path) -> tuple[RecordedLog, str] | None:
    """What the sentinel says and its signature; None when there is none that can be read."""
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
