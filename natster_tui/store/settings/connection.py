"""Where to connect and as whom, decided from flags, environment and nats contexts.

The order is DESIGN section 8's, and each source completes the ones before it:

1. the flags;
2. the context named by `--context`;
3. the environment (`NATS_URL`, `NATS_CREDS`, …);
4. the context named by `NATS_CONTEXT`;
5. the context selected in the `nats` tool, only when nothing above names a server or a context.

When none of them says anything, the embedded server is meant. When something is said, but no
server named, it is the tool's default, nats://127.0.0.1:4222.

A setting comes from the first source that has it, so a flag overrides just its own field. Two
kinds of settings are taken whole from one source, because half of each fits nobody: the
credentials (though a password may come from elsewhere, so that it need not stand in a command)
and the JetStream domain or prefix. User information in a URL counts as that source's credentials
where the source names no others; it is removed from the URL, so a server's address is never a
secret.

This differs from the `nats` tool in three places where the tool surprises: a variable does not
override a context named by flag; credentials of a context that is merely selected never go to a
server that was named on the command line; and of a context's user and a flag's creds the flag
wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from natster_tui.errors import UsageError
from natster_tui.store.settings.nats_contexts import (
    ConnectionOptions,
    expand_home,
    is_reference,
    quoted,
    read_context,
    selected_context,
)
from natster_tui.text.masking import MASK, screen_text

DEFAULT_SERVER = "nats://127.0.0.1:4222"
"""Where the nats tool connects when no server is named."""

EMBEDDED = "embedded"
"""The origin of the settings for the server that we run ourselves."""

_VARIABLES = {
    "server": "NATS_URL",
    "creds": "NATS_CREDS",
    "user": "NATS_USER",
    "password": "NATS_PASSWORD",
    "nkey": "NATS_NKEY",
    "tls_ca": "NATS_CA",
    "tls_cert": "NATS_CERT",
    "tls_key": "NATS_KEY",
}
_CONTEXT_FIELDS = {
    "server": "url",
    "tls_ca": "ca",
    "tls_cert": "cert",
    "tls_key": "key",
}

_NATS_PORT = 4222
_SCHEMES = frozenset({"nats", "tls", "ws", "wss"})
_NOT_IN_URL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_FILE_READ = 65_536
_CREDS = re.compile(
    rb"BEGIN NATS USER JWT-+\n[\w.-]+\n.*BEGIN USER NKEY SEED-+\nSU[A-Z2-7]{56}\b", re.DOTALL
)
_SEED = re.compile(rb"SU[A-Z2-7]{56}")


@dataclass(frozen=True, repr=False)
class ConnectionFlags(ConnectionOptions):
    """What the command line says of the connection."""

    context: str | None = None


@dataclass(frozen=True, repr=False)
class ConnectionSettings:
    """A server, and who we are to it.

    At most one of `creds`, `creds_text`, `nkey` and `user` is set; `user` always comes with a
    `password`, and a `token` may stand beside the first three. `creds_text` is the content of a
    credentials file that exists nowhere as a file. `origin` says where the server's name came
    from: "flags", "environment", "context NAME" or "embedded".
    """

    servers: tuple[str, ...]
    creds: Path | None = None
    creds_text: str | None = None
    nkey: Path | None = None
    user: str | None = None
    password: str | None = None
    token: str | None = None
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_first: bool = False
    inbox_prefix: str | None = None
    js_domain: str | None = None
    js_api_prefix: str | None = None
    origin: str = EMBEDDED

    @property
    def described(self) -> str:
        """The server's address, or several, for a person."""
        return ", ".join(screen_text(_without_user_info(server), 300) for server in self.servers)

    @property
    def user_described(self) -> str:
        """Who we are to the server, for a person; never a secret."""
        if self.user is not None:
            return screen_text(self.user, 100)
        for kind, file in (("creds", self.creds), ("nkey", self.nkey)):
            if file is not None:
                return f"{kind} {quoted(file.name)}"
        if self.creds_text is not None:
            return "a user JWT"
        if self.token is not None:
            return "a token"
        if self.tls_cert is not None:
            return f"certificate {quoted(self.tls_cert.name)}"
        return "anonymous"

    def __repr__(self) -> str:
        shown = [self.described, f"as {self.user_described}"]
        shown += [
            f"{name}={MASK}"
            for name, value in (
                ("password", self.password),
                ("token", self.token),
                ("creds_text", self.creds_text),
            )
            if value is not None
        ]
        return f"ConnectionSettings({', '.join(shown)}, from {screen_text(self.origin)})"


@dataclass(frozen=True)
class _Source:
    """One place that says something of the connection."""

    origin: str
    options: ConnectionOptions
    call: Callable[[str], str]
    """What a field is called there, for a sentence."""
    is_context: bool = False

    @property
    def names_credentials(self) -> bool:
        said = self.options
        return bool(said.user or said.creds or said.nkey or said.user_jwt or said.token)


@dataclass(frozen=True, repr=False)
class _UserInfo:
    """What a URL says before its @."""

    user: str
    password: str | None


def resolve_connection(
    flags: ConnectionFlags, environ: Mapping[str, str]
) -> ConnectionSettings | None:
    """Where to connect, or None for the embedded server.

    Every file that will be needed has been looked at. Raises UsageError, which names the flag,
    variable or context at fault and the remedy.
    """
    sources = list(_sources(flags, environ))
    if not sources:
        return None
    place = next((source for source in sources if source.options.server), None)
    servers, user_info = ((DEFAULT_SERVER,), None) if place is None else _servers(place)
    settings = ConnectionSettings(
        servers=servers,
        tls_ca=_file(sources, "tls_ca", environ),
        tls_cert=_file(sources, "tls_cert", environ),
        tls_key=_file(sources, "tls_key", environ),
        tls_first=any(source.options.tls_first for source in sources),
        inbox_prefix=_first(sources, "inbox_prefix")[1],
        origin=(place or sources[0]).origin,
    )
    _check_certificate(settings, sources)
    settings = _with_jetstream(settings, sources)
    settings = _with_credentials(settings, sources, place, user_info, environ)
    if flags.password and settings.user is None:
        raise UsageError("--password was given, but no user to go with it: add --user")
    return settings


# -- the sources -------------------------------------------------------------------------------


def _sources(flags: ConnectionFlags, environ: Mapping[str, str]) -> Iterator[_Source]:
    """Those that say anything, in the order that the module's docstring gives."""
    said: dict[str, Any] = {
        option: environ.get(variable) or None for option, variable in _VARIABLES.items()
    }
    variables = ConnectionOptions(**said)
    if _says_something(flags):
        yield _Source("flags", flags, _flag)
    if flags.context:
        yield _context(flags.context, environ)
    if _says_something(variables):
        yield _Source("environment", variables, _VARIABLES.__getitem__)
    if flags.context:
        return
    if named := environ.get("NATS_CONTEXT"):
        yield _context(named, environ)
    elif not (flags.server or variables.server) and (selected := selected_context(environ)):
        yield _context(selected, environ)


def _says_something(options: ConnectionOptions) -> bool:
    return any(getattr(options, said.name) for said in fields(ConnectionOptions))


def _context(name: str, environ: Mapping[str, str]) -> _Source:
    def call(option: str) -> str:
        return f'the {_CONTEXT_FIELDS.get(option, option)} of the nats context "{quoted(name)}"'

    return _Source(f"context {quoted(name)}", read_context(name, environ), call, is_context=True)


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def _first(sources: Sequence[_Source], option: str) -> tuple[_Source, str | None]:
    """The first source that has the option, and what it says; nothing if none has."""
    for source in sources:
        if said := getattr(source.options, option):
            return source, str(said)
    return sources[0], None


# -- server addresses --------------------------------------------------------------------------


def _servers(source: _Source) -> tuple[tuple[str, ...], _UserInfo | None]:
    """The addresses that a source names, without the user information they carry."""
    texts = [text.strip() for text in (source.options.server or "").split(",")]
    parsed = [_server(text, source) for text in texts if text]
    servers = tuple(server for server, _user in parsed)
    users = {user for _server, user in parsed if user is not None}
    called = source.call("server")
    if not servers:
        raise UsageError(f"{called} names no server: give a URL such as {DEFAULT_SERVER}")
    if len({server.startswith("ws") for server in servers}) > 1:
        raise UsageError(f"{called} mixes WebSocket and plain NATS servers: name one kind")
    if len(users) > 1:
        raise UsageError(
            f"the URLs of {called} name different users: name one, with --user or in all of them"
        )
    return servers, next(iter(users), None)


def _server(text: str, source: _Source) -> tuple[str, _UserInfo | None]:
    try:
        url = urlsplit(text if "://" in text else f"nats://{text}")
        host, port = url.hostname, url.port
    except ValueError:
        host, port, url = None, None, urlsplit("")
    is_address = port != 0 and url.scheme in _SCHEMES and not _NOT_IN_URL.search(text)
    # An @ that begins no user information stands behind an unescaped # or / of a secret.
    if not host or not is_address or ("@" in text and not url.username):
        raise UsageError(
            f"{source.call('server')} says {quoted(_without_user_info(text))}, which is not the "
            f"address of a NATS server: write it like {DEFAULT_SERVER}"
        )
    if port is None and url.scheme in ("nats", "tls"):
        port = _NATS_PORT
    where = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    server = f"{url.scheme}://{where}{url.path.rstrip('/')}"
    if not url.username:
        return server, None
    password = None if url.password is None else unquote(url.password)
    return server, _UserInfo(unquote(url.username), password)


def _without_user_info(url: str) -> str:
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


# -- credentials -------------------------------------------------------------------------------


def _with_credentials(
    settings: ConnectionSettings,
    sources: Sequence[_Source],
    place: _Source | None,
    user_info: _UserInfo | None,
    environ: Mapping[str, str],
) -> ConnectionSettings:
    """The settings with the credentials of the first source that names any."""
    for source in sources:
        if source.names_credentials:
            return _with_stated(settings, source, sources, environ)
        if source is place and user_info is not None:
            return _with_user(settings, user_info, source, sources, lone_is_token=True)
    return settings


def _with_stated(
    settings: ConnectionSettings,
    source: _Source,
    sources: Sequence[_Source],
    environ: Mapping[str, str],
) -> ConnectionSettings:
    """With the credentials that a source names by field; of several kinds, in the tool's order."""
    said = source.options
    if not source.is_context:
        _check_one_kind(source)
    if said.token:
        settings = replace(settings, token=_plain(source, "token", said.token))
    if said.user:
        # A context has a field for tokens; the flag and the variable say "user name or token".
        return _with_user(
            settings,
            _UserInfo(said.user, None),
            source,
            sources,
            lone_is_token=not source.is_context,
        )
    if said.creds:
        return replace(settings, creds=_creds_file(source, environ))
    if said.nkey:
        return replace(settings, nkey=_nkey_file(source, environ))
    if said.user_jwt:
        return replace(settings, creds_text=_creds_text(source))
    return settings


def _check_one_kind(source: _Source) -> None:
    """Flags that contradict each other were not meant; variables may have been set for others."""
    if source.origin != "flags":
        return
    said = source.options
    kinds = [name for name in ("user", "creds", "nkey") if getattr(said, name)]
    if said.user and said.token:
        kinds.append("token")
    if len(kinds) > 1:
        raise UsageError(f"{' and '.join(map(_flag, kinds))} exclude each other: give one")


def _with_user(
    settings: ConnectionSettings,
    user_info: _UserInfo,
    owner: _Source,
    sources: Sequence[_Source],
    *,
    lone_is_token: bool,
) -> ConnectionSettings:
    """With a user, and the first password that any source has for it."""
    user = user_info.user
    for source in sources:
        password = None
        if source.options.password and source.options.user in (None, "", user):
            password = _plain(source, "password", source.options.password)
        elif source is owner:
            password = user_info.password
        if password is not None:
            return replace(settings, user=user, password=password)
    if lone_is_token:
        return replace(settings, token=user)
    return replace(settings, user=user, password="")


def _plain(source: _Source, option: str, value: str) -> str:
    """A secret that is written out. Contexts may hold a reference instead, which we cannot follow.

    Sending the reference as if it were the secret would only tell the server where that is.
    """
    if source.is_context and is_reference(value):
        raise UsageError(
            f"{source.call(option)} is a reference that only the nats tool follows: "
            "use a credentials file with --creds"
        )
    return value


def _creds_text(source: _Source) -> str:
    """A context's user JWT and seed, laid out as a credentials file."""
    said = source.options
    text = (
        "-----BEGIN NATS USER JWT-----\n"
        f"{_plain(source, 'user_jwt', said.user_jwt or '')}\n"
        "------END NATS USER JWT------\n\n"
        "-----BEGIN USER NKEY SEED-----\n"
        f"{_plain(source, 'user_seed', said.user_seed or '')}\n"
        "------END USER NKEY SEED------\n"
    )
    if not _CREDS.search(text.encode()):
        raise UsageError(
            f"{source.call('user_jwt')} cannot be used: it needs a JWT, and a user_seed beside it"
        )
    return text


# -- files -------------------------------------------------------------------------------------


def _file(sources: Sequence[_Source], option: str, environ: Mapping[str, str]) -> Path | None:
    source, said = _first(sources, option)
    return None if said is None else _readable(said, source.call(option), environ)[0]


def _creds_file(source: _Source, environ: Mapping[str, str]) -> Path:
    said, called = source.options.creds or "", source.call("creds")
    if is_reference(said):
        raise UsageError(
            f"{called} is {quoted(said)}, which only the nats tool can look up: "
            "write the credentials to a file (`nsc generate creds`) and name it with --creds"
        )
    path, content = _readable(said, called, environ)
    # nats-py reads a file without these marks for ever.
    if not _CREDS.search(content):
        raise UsageError(
            f"{quoted(path)}, named by {called}, is not a credentials file: it needs a user's JWT "
            "and seed, as `nsc generate creds` writes them"
        )
    return path


def _nkey_file(source: _Source, environ: Mapping[str, str]) -> Path:
    called = source.call("nkey")
    path, content = _readable(source.options.nkey or "", called, environ)
    if not _SEED.fullmatch(content.strip()):
        raise UsageError(
            f"{quoted(path)}, named by {called}, is not an nkey file: it needs a user's seed "
            "(SU…) and nothing else"
        )
    return path


def _readable(said: str, called: str, environ: Mapping[str, str]) -> tuple[Path, bytes]:
    """The file and its beginning, which shows that it can be read."""
    path = Path(expand_home(said, environ))
    try:
        if path.exists() and not path.is_file():
            # Also a pipe, such as <(…): nats-py reads the file again at every connection.
            raise UsageError(f"{quoted(path)}, named by {called}, is not a file: check the path")
        with path.open("rb") as file:
            return path, file.read(_FILE_READ)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not a path"
        raise UsageError(
            f"{quoted(path)}, named by {called}, cannot be read ({reason}): check the path"
        ) from error


def _check_certificate(settings: ConnectionSettings, sources: Sequence[_Source]) -> None:
    if (settings.tls_cert is None) == (settings.tls_key is None):
        return
    given, missing = "tls_cert", "tls_key"
    if settings.tls_cert is None:
        given, missing = missing, given
    called = _first(sources, given)[0].call(given)
    raise UsageError(f"{called} is of no use alone: add {_flag(missing)}")


# -- JetStream ---------------------------------------------------------------------------------


def _with_jetstream(settings: ConnectionSettings, sources: Sequence[_Source]) -> ConnectionSettings:
    """With the domain, or else the API prefix, of the first source that has either."""
    for source in sources:
        if source.options.js_domain:
            return replace(settings, js_domain=source.options.js_domain)
        if source.options.js_api_prefix:
            return replace(settings, js_api_prefix=source.options.js_api_prefix)
    return settings
