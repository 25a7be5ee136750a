"""The key file: the embedded store's key, and the keys that wrap all data keys.

One user needs one file. It is JSON, mode 0600 in a directory of mode 0700, and never in a data
directory, because a copy of that must not include the keys:

    {"natster-tui key file": 1,
     "store": "k<64 hex digits>",                          the embedded server's store
     "keyrings": {"r<16 hex digits>": ["k<64 hex>", …]}}    key-encryption keys, newest last

Each `NATSTER_KEYS` bucket is one keyring with its own id, so rotating the keys of one system never
removes those of another. An existing file is only replaced as a whole, while a lock beside it is
held. Creating the file fails if it exists.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from natster_tui.errors import RefusedError, UsageError
from natster_tui.store.files.locks import LOCKS_SUPPORTED, NOT_SUPPORTED, locked
from natster_tui.store.files.models import StoredModel
from natster_tui.store.files.private_files import (
    make_private_directory,
    refuse_if_shared,
    remove_drafts,
    write_private,
)
from natster_tui.store.sealing.envelope import Key
from natster_tui.store.user_directories import config_directory, data_directory
from natster_tui.text.safe_text import safe_text

_MARK = "natster-tui key file"
_FORMAT = 1
_Key = Annotated[str, Field(pattern=r"^k[0-9a-f]{64}$")]
_Format = Annotated[int, Field(alias=_MARK)]


@dataclass(frozen=True, slots=True)
class Keys:
    """What a key file holds; each key is `k` and 64 hexadecimal digits.

    The letter is needed: the server would parse digits alone as a number.
    """

    store: str
    keyrings: Mapping[str, tuple[str, ...]]

    def __repr__(self) -> str:
        # Never the keys: tracebacks and test reports print values.
        return f"Keys({', '.join(self.keyrings)})"


class _AnyKeyFile(StoredModel):
    """The field that key files of all versions have."""

    format: _Format


class _KeyFileContent(_AnyKeyFile):
    """A key file as this version writes it."""

    store: _Key
    keyrings: dict[str, tuple[_Key, ...]]


class KeyFile:
    """The key file at a path. It need not exist.

    If the path is a symbolic link, its target is read, replaced and locked, so that a removed key
    is really gone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def __str__(self) -> str:
        return safe_text(str(self.path))

    @property
    def real_path(self) -> Path:
        """The path without symbolic links; raises RefusedError if they form a loop."""
        try:
            return Path(os.path.realpath(self.path, strict=True))
        except FileNotFoundError:
            return Path(os.path.realpath(self.path))
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise RefusedError(
                    f"the key file {self} is a symbolic link that leads back to itself: put the "
                    "file in its place, or name it with --key-file"
                ) from None
            return self.path  # using the file reports the error

    def exists(self) -> bool:
        """Whether the file exists; raises RefusedError as `real_path` does."""
        return self.real_path.exists()

    def version(self) -> tuple[int, int, int]:
        """A value that changes whenever the file does; all zero if there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return (0, 0, 0)
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def read(self) -> Keys:
        """Read the keys.

        Raises RefusedError if it is not a key file or others may read it, and OSError.
        """
        if not LOCKS_SUPPORTED:
            raise RefusedError(f"the key file {self} cannot be used: {NOT_SUPPORTED}")
        path = self.real_path
        refuse_if_shared(self.path)
        content = path.read_bytes()
        try:
            if _AnyKeyFile.model_validate_json(content).format != _FORMAT:
                raise RefusedError(
                    f"{self} is a key file of a later version: use the program that wrote it"
                )
            found = _KeyFileContent.model_validate_json(content)
        except ValidationError:
            raise RefusedError(
                f"{self} is not a key file of natster-tui: put the right file back; "
                "nothing was started and nothing was changed"
            ) from None
        return Keys(found.store, found.keyrings)

    def create(self) -> Keys:
        """Create it with a new store key and no keyring; an existing file is kept and read.

        Raises RefusedError.
        """
        if not LOCKS_SUPPORTED:
            raise RefusedError(f"the key file {self} cannot be made: {NOT_SUPPORTED}")
        keys = Keys(new_key(), {})
        path = self.real_path
        with self._written():
            make_private_directory(path.parent)
        with self.locked():
            try:
                write_private(path, _encoded(keys), replace=False)
            except FileExistsError:  # another process made it just now
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
        """Replace one keyring's keys, newest last; no keys remove it. Hold `locked` to call it."""
        now = self.read()
        keyrings = {name: held for name, held in now.keyrings.items() if name != ring}
        if keys:
            keyrings[ring] = tuple(keys)
        path = self.real_path
        # The draft of a killed process may hold keys that have been removed since.
        remove_drafts(path, _MARK.encode())
        write_private(path, _encoded(Keys(now.store, keyrings)))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock to change the file; other processes wait, for milliseconds."""
        with self._written(), locked(self._beside("lock")):
            yield

    @contextlib.contextmanager
    def rotating(self) -> Iterator[None]:
        """Hold the lock to rotate keys; raises RefusedError if another process holds it."""
        with contextlib.ExitStack() as held:
            with self._written():
                ours = held.enter_context(locked(self._beside("rotating"), wait=False))
            if not ours:
                raise RefusedError(
                    f"another natster-tui is rotating the keys of {self}: wait until it has "
                    "ended, then try again"
                )
            yield

    def _beside(self, what: str) -> Path:
        real = self.real_path
        return real.with_name(f"{real.name}.{what}")

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
    """A keyring's key-encryption keys, newest last, or the reason why there are none."""
    try:
        if file is None or not file.exists():
            named = "no key file was named" if file is None else f"there is no key file {file}"
            return (), f"{named}: put it back from a backup, or name it with --key-file"
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


def default_key_file() -> Path:
    """The default path of the key file. Raises UsageError without a home directory."""
    directory = config_directory()
    if directory is None:
        raise UsageError(
            "there is no home directory to keep keys in: name a key file with --key-file"
        )
    if directory == data_directory():
        # macOS has one directory for both; keys must not be stored among the data they open.
        directory = directory.with_name("natster-tui-keys")
    return directory / "keys.json"


def new_key() -> str:
    """A random key in its written form."""
    return f"k{secrets.token_hex(32)}"


def _encoded(keys: Keys) -> bytes:
    value = {_MARK: _FORMAT, "store": keys.store, "keyrings": keys.keyrings}
    return json.dumps(value, indent=1).encode() + b"\n"
