"""Whether servers of ours still run."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def server_of(data: Path) -> dict[str, Any] | None:
    """What a data directory says of its running server; None when there is none."""
    with suppress(FileNotFoundError, ValueError):
        value: dict[str, Any] = json.loads((data / "server.json").read_bytes())
        return value
    return None


def is_running(pid: int) -> bool:
    """Whether a process that is not our child is still there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):  # where orphans are not collected they stay, as zombies
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True
