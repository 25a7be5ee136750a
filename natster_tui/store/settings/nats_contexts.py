"""The contexts of the `nats` command line tool, read as it reads them.

A context is `$XDG_CONFIG_HOME/nats/context/NAME.json` (else below `~/.config`); the name of the
selected one stands in `nats/context.txt`. Field names and expansion (`~`, `$VAR`) follow
jsm.go's natscontext. What it can and we cannot (`nsc://`, `op://` and `env://` references, a
Windows certificate store) is refused by name where it would be used; its SOCKS proxy and colours
are ignored.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from natster_tui.errors import UsageError
from natster_tui.text.masking import screen_text

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_REFERENCE = re.compile(r"(?:nsc|op|env|file)://|data:", re.IGNORECASE)
_NAMES_TOLD = 8


@dataclass(frozen=True, repr=False)
class ConnectionOptions:
    """What one source, such as a context, says of a connection; None where it is silent.

    It has no representation: too many of its fields may hold a secret, a lone user being a token.

    `server` is one URL or several, separated by commas. Files are named as text, because not
    every source means a file: a context's creds may be a reference into a vault.
    """

    server: str | None = None
    creds: str | None = None
    nkey: str | None = None
    user: str | None = None
    password: str | None = None
    token: str | None = None
    user_jwt: str | None = None
    user_seed: str | None = None
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_first: bool = False
    inbox_prefix: str | None = None
    js_domain: str | None = None
    js_api_prefix: str | None = None


def quoted(value: object) -> str:
    """A name or path from outside, fit for a sentence: a secret given by mistake stays unseen."""
    return screen_text(str(value), 300)


def selected_context(environ: Mapping[str, str]) -> str | None:
    """The name of the context that `nats context select` chose, or None."""
    path = _nats_directory(environ) / "context.txt"
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the name of the selected nats context cannot be read from {quoted(path)} "
            f"({_reason(error)}): name one with --context, or a server with --server"
        ) from error


def read_context(name: str, environ: Mapping[str, str]) -> ConnectionOptions:
    """What a context says. A name that is a path (`./x.json`) is read from there.

    Raises UsageError when there is no such context or its file cannot be understood.
    """
    path = _context_path(name, environ)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(_unknown(name, path)) from error
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the nats context {quoted(path)} cannot be read ({_reason(error)}): "
            "mend the file, or name another context with --context"
        ) from error
    if not isinstance(values, dict):
        raise _malformed(path, "it is not a JSON object")
    return _options(values, path, environ)


def is_reference(value: str) -> bool:
    """Whether a context's value only says where the tool finds the value, as in a vault."""
    return _REFERENCE.match(value) is not None


def expand_home(path: str, environ: Mapping[str, str]) -> str:
    """The path with a leading `~` replaced by the user's home directory."""
    if path == "~" or path.startswith(("~/", f"~{os.sep}")):
        return str(_home(environ)) + path[1:]
    return path


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


def _nats_directory(environ: Mapping[str, str]) -> Path:
    configured = environ.get("XDG_CONFIG_HOME")
    return (Path(configured) if configured else _home(environ) / ".config") / "nats"


def _context_path(name: str, environ: Mapping[str, str]) -> Path:
    if os.sep in name or "/" in name or name.endswith(".json"):
        return Path(expand_home(name, environ))
    if not name or ".." in name or "\0" in name:
        raise UsageError(
            f'"{quoted(name)}" cannot be the name of a nats context: '
            "see `nats context ls` for those there are"
        )
    return _nats_directory(environ) / "context" / f"{name}.json"


def _unknown(name: str, path: Path) -> str:
    try:
        known = sorted(file.stem for file in path.parent.glob("*.json"))
    except OSError:
        known = []
    told = ", ".join(map(quoted, known[:_NAMES_TOLD])) + (" …" if known[_NAMES_TOLD:] else "")
    remedy = f"choose one of {told} with --context" if known else "name a server with --server"
    return f'there is no nats context "{quoted(name)}" at {quoted(path)}: {remedy}'


def _malformed(path: Path, what: str) -> UsageError:
    return UsageError(
        f"the nats context {quoted(path)} is malformed ({what}): "
        "mend the file, or name another context with --context"
    )


def _reason(error: Exception) -> str:
    """Why a file could not be read, without quoting it: a context holds secrets."""
    match error:
        case OSError():
            return error.strerror or type(error).__name__
        case json.JSONDecodeError():
            return f"not JSON, line {error.lineno}"
        case UnicodeDecodeError():
            return "not UTF-8"
        case _:
            return "not JSON"


def _options(
    values: dict[str, object], path: Path, environ: Mapping[str, str]
) -> ConnectionOptions:
    def text(name: str) -> str | None:
        value = values.get(name)
        if value is not None and not isinstance(value, str):
            raise _malformed(path, f"its {name} is not a string")
        return value or None

    def file(name: str) -> str | None:
        value = text(name)
        if value is None:
            return None
        expanded = _expand_variables(value, environ).removeprefix("file://")
        return expand_home(expanded, environ) or None

    if text("windows_cert_store"):
        raise UsageError(
            f"the nats context {quoted(path)} uses the Windows certificate store, which "
            "natster-tui cannot: put cert and key files there instead"
        )
    tls_first = values.get("tls_first")
    if not isinstance(tls_first, bool | None):
        raise _malformed(path, "its tls_first is neither true nor false")
    return ConnectionOptions(
        server=text("url"),
        creds=file("creds") or _nsc_reference(text("nsc")),
        nkey=file("nkey"),
        user=text("user"),
        password=text("password"),
        token=text("token"),
        user_jwt=text("user_jwt"),
        user_seed=text("user_seed"),
        tls_ca=file("ca"),
        tls_cert=file("cert"),
        tls_key=file("key"),
        tls_first=bool(tls_first),
        inbox_prefix=text("inbox_prefix"),
        js_domain=text("jetstream_domain"),
        js_api_prefix=text("jetstream_api_prefix"),
    )


def _nsc_reference(lookup: str | None) -> str | None:
    """The older field `nsc` as the creds reference that newer versions of the tool write."""
    if lookup is None or lookup.startswith("nsc://"):
        return lookup
    return f"nsc://{lookup}"


def _expand_variables(text: str, environ: Mapping[str, str]) -> str:
    """`$VAR` and `${VAR}` replaced; as in the tool, one that is not set leaves nothing."""
    return _VARIABLE.sub(lambda match: environ.get(match[1] or match[2], ""), text)
