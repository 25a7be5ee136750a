"""References: a value's location, given instead of the value.

The nats tool reads them in contexts and in flags. `env://NAME` is an environment variable,
`file://PATH` a file, and `data:;base64,…` the encoded value itself. The tool also runs two
programs, `nsc` and `op`; we refuse those references. No message quotes a reference, because it may
be or hold the secret.
"""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Mapping
from pathlib import Path

from natster_tui.errors import UsageError
from natster_tui.store.settings.files import expand_home, read_file

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):(//)?", re.IGNORECASE)
_ASKED_OF_PROGRAMS = {
    "nsc": "write the credentials to a file with `nsc generate creds`, and name it with --creds",
    "op": "write it to a file that only you can read, and refer to that with file://",
}


def scheme_of(value: str) -> str:
    r"""The scheme of a reference, in lower case; empty for a value or a plain path.

    An unknown scheme counts only if `//` follows: `C:\x` and `a:b` are values.
    """
    match = _SCHEME.match(value)
    if match is None:
        return ""
    scheme = match[1].lower()
    return scheme if match[2] or scheme == "data" else ""


def read_text(value: str, called: str, environ: Mapping[str, str]) -> str:
    """The text of an option, which may be given by a reference. Raises UsageError."""
    match scheme_of(value):
        case "env" | "data" | "file" | "nsc" | "op":
            found = read_reference(value, called, environ)
        case _:
            return value
    content = read_file(found, called) if isinstance(found, Path) else found
    try:
        return content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{called} refers to something that is not text (UTF-8)") from error


def read_reference(value: str, called: str, environ: Mapping[str, str]) -> Path | bytes:
    """The file that a path or reference names, or the content in it. Raises UsageError."""
    match scheme := scheme_of(value):
        case "" | "file":
            return read_path(value, called, environ)
        case "env":
            content = environ.get(value[len("env://") :])
            if not content:
                raise UsageError(
                    f"{called} refers to an environment variable that is not set: set it, or "
                    "name another"
                )
            return content.encode("utf-8", "surrogateescape")
        case "data":
            return _decoded(value, called)
        case "nsc" | "op":
            raise UsageError(
                f"{called} is an {scheme}:// reference, which only the nats tool can look up: "
                f"{_ASKED_OF_PROGRAMS[scheme]}"
            )
        case _:
            raise UsageError(
                f"{called} is a reference of a kind that natster-tui does not know: use a path, "
                "file://, env:// or data:"
            )


def read_path(value: str, called: str, environ: Mapping[str, str]) -> Path:
    """The path of a file given as a path or with `file://`. Raises UsageError."""
    scheme = scheme_of(value)
    if scheme not in ("", "file"):
        raise UsageError(f"{called} must be a file: give its path")
    return expand_home(value[len("file://") :] if scheme else value, environ)


def _decoded(value: str, called: str) -> bytes:
    header, comma, payload = value[len("data:") :].partition(",")
    encodings = [part.strip() for part in header.split(";")]
    if comma and "base64" in encodings:
        with contextlib.suppress(ValueError):
            return base64.b64decode("".join(payload.split()), validate=True)
    raise UsageError(f"{called} is a data: reference that cannot be decoded: use data:;base64,…")
