"""The key file: the keys that everything else is locked with.

One file serves all that one person runs, JSON, mode 0600 in a directory of mode 0700, never in a
data directory (whoever copies that must not have the keys as well):

    {"natster-tui key file": 1,
     "store": "k<64 hex digits>",                          the embedded server's store
     "keyrings": {"r<16 hex digits>": ["k<64 hex>", …]}}    key-encryption keys, newest last

A keyring is one `NATSTER_KEYS` bucket and has an id of its own, so that rotating the keys of one
system never takes another's away. A file that exists is only ever replaced as a whole, under a
lock beside it; before the first key goes in it must not exist at all.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from natster_tui.errors import RefusedError, UsageError
from natster_tui.store.sealing.envelope import Key
from natster_tui.store.sealing.private_files import (
    make_private_directory,
    refuse_if_shared,
    remove_drafts,
    write_private,
)
from natster_tui.text.safe_text import safe_text

_MARK = "natster-tui key file"
_FORMAT = 1
_KEY = re.compile(r"k[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a key file holds; each key is `k` and 64 hexadecimal digits.

    Hex behind a letter: digits alone, or `true`, would be configuration to the server.
    """

    store: str
    keyrings: Mapping[str, tuple[str, ...]]

    def __repr__(self) -> str:
        # Never the keys: tracebacks and test reports print what they meet.
        return f"Keys({', '.join(self.keyrings)})"


class KeyFile:
    """The key file at a path, whether it is there or not."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def __str__(self) -> str:
        return safe_text(str(self.path))

    def exists(self) -> bool:
        """Whether there is one."""
        return self.path.exists()

    def version(self) -> tuple[int, int, int]:
        """Changes whenever the file does; all zero when there is none."""
        try:
            told = self.path.stat()
        except OSError:
            return (0, 0, 0)
        return (told.st_ino, told.st_mtime_ns, told.st_size)

    def read(self) -> Keys:
        """Its keys.

        Raises RefusedError when it is something else or others may read it, and OSError.
        """
        refuse_if_shared(self.path)
        try:
            value = json.loads(self.path.read_bytes())
            if value[_MARK] != _FORMAT:
                raise RefusedError(
                    f"{self} is a key file of a later version: use the program that wrote it"
                )
            keys = Keys(
                _checked(value["store"]),
                {str(ring): tuple(map(_checked, keys)) for ring, keys in value["keyrings"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise RefusedError(
                f"{self} is not a key file of natster-tui: put the right file back; "
                "nothing was started and nothing was changed"
            ) from error
        return keys

    def create(self) -> Keys:
        """Make it with a new store key and no keyring; what is there already is kept and read.

        Raises RefusedError.
        """
        keys = Keys(new_key(), {})
        with self._written():
            make_private_directory(self.path.parent)
        with self.locked():
            try:
                write_private(self.path, _encoded(keys), replace=False)
            except FileExistsError:  # somebody else made it just now
                return self.read()
        return keys

    @contextlib.contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RefusedError(
                f"the key file {self} cannot be written ({(error.strerror or '').lower()}): name "
                "another place with --key-file, or put this one right"
            ) from error

    def set_keyring(self, ring: str, keys: Sequence[str]) -> None:
        """Replace one keyring's keys, newest last; none at all removes it. For `locked` only."""
        now = self.read()
        keyrings = {name: held for name, held in now.keyrings.items() if name != ring}
        if keys:
            keyrings[ring] = tuple(keys)
        # A draft of somebody who was killed holds the keys of that time, removed ones as well.
        remove_drafts(self.path)
        write_private(self.path, _encoded(Keys(now.store, keyrings)))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only process that changes the file; others take their turn, it is milliseconds."""
        with self._written(), _flock(self.path.with_name(f"{self.path.name}.lock")) as locked:
            assert locked
            yield

    @contextlib.contextmanager
    def rotating(self) -> Iterator[None]:
        """Be the only process that rotates keys of this file; raises RefusedError if one does."""
        lock = self.path.with_name(f"{self.path.name}.rotating")
        with _flock(lock, wait=False) as locked:
            if not locked:
                raise RefusedError(
                    f"another natster-tui is rotating the keys of {self}: wait until it has "
                    "ended, then try again"
                )
            yield

    def back_up(self, to: Path) -> None:
        """Copy it to a new file. Raises RefusedError and UsageError."""
        keys = self.read()
        try:
            write_private(to, _encoded(keys), replace=False)
        except FileExistsError as error:
            raise UsageError(f"{safe_text(str(to))} is there already: choose another") from error
        except OSError as error:
            raise UsageError(
                f"{safe_text(str(to))} cannot be written ({(error.strerror or '').lower()})"
            ) from error


def keys_of_ring(file: KeyFile | None, ring: str) -> tuple[tuple[Key, ...], str]:
    """A keyring's key-encryption keys, newest last, or why there are none."""
    if file is None or not file.exists():
        named = "no key file was named" if file is None else f"there is no key file {file}"
        return (), f"{named}: put it back from a backup, or name it with --key-file"
    try:
        written = file.read().keyrings.get(ring, ())
    except RefusedError as error:
        return (), error.sentence
    except OSError as error:
        return (), f"the key file {file} cannot be read ({(error.strerror or '').lower()})"
    if not written:
        return (), (
            f"the key file {file} holds no key for the keyring {ring} that this log's keys are "
            "wrapped in: put the right file back, or name it with --key-file"
        )
    return tuple(map(key_of_text, written)), ""


def key_of_text(written: str) -> Key:
    """A key from its written form."""
    return Key(bytes.fromhex(written.removeprefix("k")))


@contextlib.contextmanager
def _flock(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock; whether it is ours, which it always is after waiting."""
    import fcntl  # not there on Windows, where this module must still be importable

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


def default_key_file() -> Path:
    """Where the keys are kept unless told otherwise."""
    directory = Path(platformdirs.user_config_dir("natster-tui"))
    if directory == Path(platformdirs.user_data_dir("natster-tui")):
        # macOS has one place for both, and keys must not lie among the data that they open.
        directory = directory.with_name("natster-tui-keys")
    return directory / "keys.json"


def new_key() -> str:
    """A random key in its written form."""
    return f"k{secrets.token_hex(32)}"


def _encoded(keys: Keys) -> bytes:
    value = {_MARK: _FORMAT, "store": keys.store, "keyrings": keys.keyrings}
    return json.dumps(value, indent=1).encode() + b"\n"


def _checked(key: object) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueError("not a key")
    return key
