"""Whether the terminal can show the dashboard, and which characters it can draw."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from natster_tui.errors import UsageError

_PLAIN = ("C", "POSIX")
_COERCED = ("C.UTF-8", "C.utf8")
"""The values of LC_CTYPE that Python itself sets if the locale is C or not installed."""

_SIZE = ("COLUMNS", "LINES")


def check_streams() -> None:
    """Raise UsageError unless input and output are a terminal; Textual draws on stderr."""
    if not sys.stderr.isatty() or not sys.stdin.isatty():
        raise UsageError(
            "the dashboard needs a terminal: in scripts use natster-tui status, project, show, "
            "rebuild or verify"
        )


def check_terminal(environ: Mapping[str, str], *, is_posix: bool = os.name == "posix") -> None:
    """Raise UsageError for a terminal that says it cannot place text on the screen."""
    kind = environ.get("TERM", "")
    if not is_posix or kind not in ("", "dumb", "unknown"):
        return
    found = f"TERM={kind}" if kind else "TERM is not set"
    raise UsageError(
        f"the dashboard needs a terminal that can move its cursor, and {found}: set TERM to the "
        "terminal's kind, such as xterm-256color, or use natster-tui status, project or tail"
    )


def wants_ascii(environ: Mapping[str, str], encoding: str | None) -> bool:
    """Whether to draw with ASCII characters only; `encoding` is that of the standard output.

    NATSTER_ASCII asks for it, and so does a locale without UTF-8. Python uses UTF-8 for the
    locales C and POSIX, so the encoding alone is not enough to know.
    """
    if environ.get("NATSTER_ASCII") or not _is_utf(encoding or ""):
        return True
    stated = environ.get("LC_ALL", "")
    if not stated and environ.get("LC_CTYPE") not in _COERCED:
        stated = environ.get("LC_CTYPE", "")
    stated = stated or environ.get("LANG", "")
    codeset = stated.partition("@")[0].partition(".")[2]
    return stated in _PLAIN or (codeset != "" and not _is_utf(codeset))


def _is_utf(encoding: str) -> bool:
    return encoding.lower().replace("-", "").startswith("utf")


def forget_stated_size(environ: dict[str, str] | os._Environ[str]) -> None:
    """Drop COLUMNS and LINES, which a shell exported once: the terminal may change its size."""
    for name in _SIZE:
        environ.pop(name, None)


def show_utc() -> None:
    """Make UTC the local time zone of this process, so that all times on screen are UTC."""
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):  # not there on Windows
        time.tzset()
