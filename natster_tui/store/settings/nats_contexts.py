"""Reading the contexts of the `nats` command line tool.

A context is `$XDG_CONFIG_HOME/nats/context/NAME.json` (else below `~/.config`). The name of the
selected one is in `nats/context.txt`. Field names and expansion (`~`, `$VAR`) follow jsm.go's
natscontext. A context with a Windows certificate store is refused. The prefix of JetStream's
advisories and the tool's colours are ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from natster_tui.errors import UsageError
from natster_tui.store.settings.files import expand_home, home_directory, quoted
from natster_tui.store.settings.options import ConnectionOptions, Kind, Source

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_NAMES_SHOWN = 8
_EXPECTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "list_type": "a list of strings",
}
_FIELDS = {
    "server": "url",
    "tls_ca": "ca",
    "tls_cert": "cert",
    "tls_key": "key",
    "js_domain": "jetstream_domain",
    "js_api_prefix": "jetstream_api_prefix",
}
"""The names of options that differ in a context."""


class NamedBy(Enum):
    """The source of a context's name."""

    FLAG = "--context"
    VARIABLE = "NATS_CONTEXT"
    TOOL = "nats context select"


_NAMED = {
    NamedBy.FLAG: "",
    NamedBy.VARIABLE: ", which NATS_CONTEXT names,",
    NamedBy.TOOL: ", which is selected in the nats tool,",
}
_OTHER_SERVERS = "name a server with --server, or use the embedded one with --data-dir"
_REMEDIES = {
    NamedBy.FLAG: "name another context with --context",
    NamedBy.VARIABLE: f"change NATS_CONTEXT, {_OTHER_SERVERS}",
    NamedBy.TOOL: f"select another with `nats context select`, {_OTHER_SERVERS}",
}


class NatsContext(BaseModel):
    """The fields of a context file that we use."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)

    url: SecretStr | None = None
    creds: SecretStr | None = None
    nkey: SecretStr | None = None
    nsc: SecretStr | None = None
    user: SecretStr | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    user_jwt: SecretStr | None = None
    user_seed: SecretStr | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    tls_first: bool | None = None
    socks_proxy: SecretStr | None = None
    inbox_prefix: str | None = None
    jetstream_domain: str | None = None
    jetstream_api_prefix: str | None = None
    windows_cert_store: str | None = None
    windows_ca_certs_match: list[str] | None = None

    @property
    def uses_windows_store(self) -> bool:
        """Whether its certificates are in a Windows certificate store."""
        return bool(self.windows_cert_store or self.windows_ca_certs_match)


def selected_context(environ: Mapping[str, str]) -> str | None:
    """The name of the context that `nats context select` chose, or None."""
    directory = _nats_directory(environ)
    if directory is None:
        return None
    path = directory / "context.txt"
    try:
        return path.read_text(encoding="utf-8-sig").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the name of the selected nats context cannot be read from {quoted(path)} "
            f"({_reason(error)}): name one with --context, {_OTHER_SERVERS}"
        ) from error


def context_names(environ: Mapping[str, str]) -> list[str]:
    """The names of the contexts, sorted; empty if they cannot be listed."""
    directory = _nats_directory(environ)
    try:
        return [] if directory is None else sorted(f.stem for f in directory.glob("context/*.json"))
    except OSError:
        return []


def context_source(name: str, named_by: NamedBy, environ: Mapping[str, str]) -> Source:
    """A context as a source. If the name is a path (`./x.json`), that file is read.

    Raises UsageError if there is no such context or its file is invalid.
    """
    remedy = _REMEDIES[named_by]
    path = _context_path(name, environ)
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        context = NatsContext.model_validate_json(content)
    except FileNotFoundError as error:
        raise UsageError(_unknown(name, path, named_by)) from error
    except OSError as error:
        raise UsageError(
            f"the nats context {quoted(path)} cannot be read ({_reason(error)}): {remedy}"
        ) from error
    except ValidationError as error:
        raise UsageError(
            f"the nats context {quoted(path)} cannot be read ({_malformed(error)}): "
            f"mend the file, or {remedy}"
        ) from error
    if context.uses_windows_store:
        raise UsageError(
            f"the nats context {quoted(path)} uses windows_cert_store, the certificate store of "
            "Windows, which natster-tui cannot use: put cert and key files there instead"
        )

    def call(option: str) -> str:
        return f'the {_FIELDS.get(option, option)} of the nats context "{quoted(name)}"'

    options = _options(context, environ)
    return Source(Kind.CONTEXT, f"context {quoted(name)}", options, call, name)


def _options(context: NatsContext, environ: Mapping[str, str]) -> ConnectionOptions:
    def file(value: SecretStr | str | None) -> str | None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return None if text is None else _expand_variables(text, environ)

    creds = file(context.creds) or _nsc_reference(context.nsc)
    nkey = file(context.nkey)
    return ConnectionOptions(
        server=context.url,
        creds=None if creds is None else SecretStr(creds),
        nkey=None if nkey is None else SecretStr(nkey),
        user=context.user,
        password=context.password,
        token=context.token,
        user_jwt=context.user_jwt,
        user_seed=context.user_seed,
        tls_ca=file(context.ca),
        tls_cert=file(context.cert),
        tls_key=file(context.key),
        tls_first=context.tls_first,
        socks_proxy=context.socks_proxy,
        inbox_prefix=context.inbox_prefix,
        js_domain=context.jetstream_domain,
        js_api_prefix=context.jetstream_api_prefix,
    )


def _nsc_reference(lookup: SecretStr | None) -> str | None:
    """Convert the older field `nsc` to the creds reference that newer tools write."""
    if lookup is None or not lookup.get_secret_value():
        return None
    text = lookup.get_secret_value()
    return text if text.startswith("nsc://") else f"nsc://{text}"


def _expand_variables(text: str, environ: Mapping[str, str]) -> str:
    """Replace `$VAR` and `${VAR}`; as in the nats tool, an unset one becomes empty."""
    return _VARIABLE.sub(lambda match: environ.get(match[1] or match[2], ""), text)


def _nats_directory(environ: Mapping[str, str]) -> Path | None:
    if configured := environ.get("XDG_CONFIG_HOME"):
        return Path(configured) / "nats"
    home = home_directory(environ)
    return None if home is None else home / ".config" / "nats"


def _context_path(name: str, environ: Mapping[str, str]) -> Path:
    if os.sep in name or "/" in name or name.endswith(".json"):
        return expand_home(name, environ)
    if not name or ".." in name or "\0" in name:
        raise UsageError(
            f'"{quoted(name)}" cannot be the name of a nats context: '
            "see `nats context ls` for those there are"
        )
    directory = _nats_directory(environ)
    if directory is None:
        raise UsageError(
            f'the nats context "{quoted(name)}" cannot be looked for without a home directory: '
            "set HOME or XDG_CONFIG_HOME, or give the path of its file"
        )
    return directory / "context" / f"{name}.json"


def _unknown(name: str, path: Path, named_by: NamedBy) -> str:
    try:
        known = sorted(file.stem for file in path.parent.glob("*.json"))
    except OSError:
        known = []
    names = ", ".join(map(quoted, known[:_NAMES_SHOWN])) + (" …" if known[_NAMES_SHOWN:] else "")
    remedies = [f"choose one of {names} with --context"] if known else []
    if named_by is not NamedBy.FLAG:
        remedies.append(_REMEDIES[named_by])
    elif not known:
        remedies.append("name a server with --server")
    return (
        f'there is no nats context "{quoted(name)}"{_NAMED[named_by]} at {quoted(path)}: '
        f"{', '.join(remedies)}"
    )


def _malformed(error: ValidationError) -> str:
    """What is wrong with a context, by its field; never the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    kind, place = first["type"], first["loc"]
    if kind == "json_invalid":
        reason = str(first.get("ctx", {}).get("error", ""))
        where = re.search(r"line \d+", reason)
        return f"not JSON, {where[0]}" if where else "not JSON"
    if not place:
        return "it is not a JSON object"
    return f"its {place[0]} is not {_EXPECTED.get(kind, 'what it should be')}"


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return error.strerror or type(error).__name__
