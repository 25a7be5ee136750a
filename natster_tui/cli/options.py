"""The options that every command shares: which server, which log, and what may be written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from natster_tui.engine.server_source import (
    PROGRAM,
    EmbeddedSource,
    LogChoice,
    NamedServer,
    ServerSource,
    new_instance,
)
from natster_tui.errors import UsageError
from natster_tui.events.event import STREAM
from natster_tui.store.connection.opening.tls import check_transport
from natster_tui.store.embedded.server import default_data_dir
from natster_tui.store.log_config import LogSettings
from natster_tui.store.sealing.choice import SealingChoice
from natster_tui.store.sealing.key_file import default_key_file
from natster_tui.store.settings.connection import ConnectionFlags, resolve_connection

_Command = TypeVar("_Command", bound=Callable[..., Any])

_CONNECTION = (
    click.option("--server", metavar="URL", help="NATS server, or several with commas."),
    click.option("--context", metavar="NAME", help="A context of the nats tool."),
    click.option("--creds", metavar="FILE", help="Credentials file (user JWT and seed)."),
    click.option("--nkey", metavar="FILE", help="NKey seed file."),
    click.option("--user", metavar="NAME", help="User name, or a token."),
    click.option("--password", metavar="TEXT", help="Password; better in NATS_PASSWORD."),
    click.option("--tls-ca", metavar="FILE", help="Certificate authority to trust."),
    click.option("--tls-cert", metavar="FILE", help="Client certificate."),
    click.option("--tls-key", metavar="FILE", help="Its key."),
    click.option(
        "--tls-first",
        is_flag=True,
        default=None,
        help="Do the TLS handshake before the server says anything (handshake_first).",
    ),
    click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server."),
    click.option("--key-file", metavar="FILE", help="Where the keys are, never in --data-dir."),
    click.option("--stream", metavar="NAME", help=f"The log, {STREAM} if not given."),
    click.option("--create-log", is_flag=True, default=None, help="Make the log if missing."),
    click.option(
        "--log-setting",
        multiple=True,
        metavar="NAME=VALUE",
        help="With --create-log: max_bytes, replicas, discard, deny_delete, deny_purge, "
        "allow_direct or duplicate_window_s.",
    ),
    click.option(
        "--sealing",
        type=click.Choice(["on", "off"]),
        help="Whether a log that we make is sealed; on if not given.",
    ),
    click.option("--read-only", is_flag=True, default=None, help="Write nothing anywhere."),
)
_MOST_DIGITS = 18
_NAMES = (
    "server",
    "context",
    "creds",
    "nkey",
    "user",
    "password",
    "tls_ca",
    "tls_cert",
    "tls_key",
    "tls_first",
    "data_dir",
    "key_file",
    "stream",
    "create_log",
    "log_setting",
    "sealing",
    "read_only",
)


@dataclass(frozen=True)
class Target:
    """What the shared options amount to."""

    source: ServerSource
    choice: LogChoice
    instance: str


def takes_target(command: _Command) -> _Command:
    """Give a command the shared options; it finds them with `target_of`."""
    for option in reversed(_CONNECTION):
        command = option(command)
    return command


def own_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """A command's arguments without the shared ones."""
    return {name: value for name, value in given.items() if name not in _NAMES}


def target_of() -> Target:
    """The server and log that the options name, those of the command before those of the program.

    Raises UsageError.
    """
    given: dict[str, Any] = {}
    at: click.Context | None = click.get_current_context()
    while at is not None:
        for name in _NAMES:
            value = at.params.get(name)
            if value not in (None, ()) and name not in given:
                given[name] = value
        at = at.parent
    choice = LogChoice(
        stream=_stream_name(given.get("stream", STREAM)),
        create=given.get("create_log", False),
        read_only=given.get("read_only", False),
        settings=_log_settings(given.get("log_setting", ())),
        sealing=_sealing_choice(given),
    )
    if choice.create and choice.read_only:
        raise UsageError("--create-log and --read-only exclude each other: give one")
    return Target(_source(given), choice, new_instance())


def _source(given: Mapping[str, Any]) -> ServerSource:
    flags = ConnectionFlags(
        server=given.get("server"),
        context=given.get("context"),
        creds=given.get("creds"),
        nkey=given.get("nkey"),
        user=given.get("user"),
        password=given.get("password"),
        tls_ca=given.get("tls_ca"),
        tls_cert=given.get("tls_cert"),
        tls_key=given.get("tls_key"),
        tls_first=bool(given.get("tls_first")),
    )
    asks_embedded = "data_dir" in given
    settings = (
        None
        if asks_embedded and flags == ConnectionFlags()
        else resolve_connection(flags, os.environ)
    )
    if settings is None:
        directory = given.get("data_dir")
        return EmbeddedSource(
            default_data_dir() if directory is None else Path(directory).expanduser(),
            _sealing_choice(given).key_file,
            read_only=given.get("read_only", False),
            name=_connection_name(),
        )
    if asks_embedded:
        raise UsageError("--data-dir is for the embedded server: leave it or the server out")
    # Before anything is opened: a dashboard would be there already, and try again for ever.
    check_transport(settings)
    return NamedServer(settings, name=_connection_name())


def _connection_name() -> str:
    """What a server's operators see of this run: `natster-tui keys rotate`, `… dashboard`."""
    words: list[str] = []
    at = click.get_current_context()
    while at.parent is not None:
        words.insert(0, at.info_name or "")
        at = at.parent
    return " ".join([PROGRAM, *(words or ["dashboard"])])


def _sealing_choice(given: Mapping[str, Any]) -> SealingChoice:
    named = given.get("key_file")
    wanted = given.get("sealing")
    file = default_key_file() if named is None else Path(named).expanduser()
    directory = given.get("data_dir")
    data_dir = default_data_dir() if directory is None else Path(directory).expanduser()
    keep_apart("the key file", file, data_dir)
    return SealingChoice(None if wanted is None else wanted == "on", file, named is not None)


def keep_apart(what: str, file: Path, data_dir: Path) -> None:
    """Raise UsageError for a file with keys that would lie among the data they open."""
    if file.resolve().is_relative_to(data_dir.resolve()):
        raise UsageError(
            f"{what} lies in the embedded server's data directory: whoever copies the data must "
            "not have the keys with it; name another place"
        )


def _stream_name(name: str) -> str:
    if not name or any(char in ".*> \t\r\n\0/\\" or not char.isprintable() for char in name):
        raise UsageError("--stream is not a stream name: no dots, wildcards, blanks or slashes")
    return name


def _log_settings(pairs: tuple[str, ...]) -> LogSettings:
    settings = LogSettings()
    known = {field.name for field in fields(LogSettings)} - {"sealing"}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in known:
            raise UsageError(
                f"--log-setting takes NAME=VALUE with one of {', '.join(sorted(known))}"
            )
        settings = replace(settings, **{name: _setting_value(name, text)})
    return settings


def _setting_value(name: str, text: str) -> Any:
    if name == "discard":
        if text not in ("new", "old"):
            raise UsageError("--log-setting discard takes new or old")
        return text
    if name.startswith(("deny_", "allow_")):
        if text not in ("true", "false"):
            raise UsageError(f"--log-setting {name} takes true or false")
        return text == "true"
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise UsageError(f"--log-setting {name} takes a whole number")
    return int(text)
