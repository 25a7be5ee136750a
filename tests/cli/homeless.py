"""The program for a user whom the system does not know: no HOME, and no passwd entry."""

from __future__ import annotations

import os
import pwd
from typing import NoReturn

from natster_tui.cli.main import run


def _unknown(_who: object) -> NoReturn:
    raise KeyError("no such user")


if __name__ == "__main__":
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        os.environ.pop(name, None)
    pwd.getpwuid = pwd.getpwnam = _unknown
    run()
