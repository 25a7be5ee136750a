"""The options that every command shares: which server, which log, and what may be written.

What they amount to is decided in `target`, which is loaded when a command runs: `--help` needs
none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from natster_tui.cli import completing
from natster_tui.events.stream_name import STREAM

if TYPE_CHECKING:
    from pathlib import Path

    from natster_tui.cli.given_options import GivenOptions
    from natster_tui.cli.target import Target
    from natster_tui.preferences.settings_file import SettingsFile
    from natster_tui.projections.registering.registry import Registry

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS: dict[str, Callable[[_Command], _Command]] = {
    "server": click.option(
        "--server",
        metavar="URL",
        help="NATS server, or several with commas, each with its own user if need be.",
    ),
    "context": click.option(
        "--context",
        metavar="NAME",
        shell_complete=completing.contexts,
        help="A context of the nats tool.",
    ),
    "creds": click.option(
        "--creds",
        metavar="FILE",
        shell_complete=completing.files,
        help="Credentials file (user JWT and seed).",
    ),
    "nkey": click.option(
        "--nkey", metavar="FILE", shell_complete=completing.files, help="NKey seed file."
    ),
    "user": click.option("--user", metavar="NAME", help="User name, or a token."),
    "password": click.option(
        "--password", metavar="TEXT", help="Password; better in NATS_PASSWORD."
    ),
    "token": click.option("--token", metavar="TEXT", help="Token; better in NATS_TOKEN."),
    "user_jwt": click.option(
        "--user-jwt", metavar="JWT", help="User JWT; better by file:// or env:// reference."
    ),
    "user_seed": click.option(
        "--user-seed", metavar="SEED", help="Its seed; better by file:// or env:// reference."
    ),
    "tls_ca": click.option(
        "--tls-ca",
        metavar="FILE",
        shell_complete=completing.files,
        help="Certificate authority to trust.",
    ),
    "tls_cert": click.option(
        "--tls-cert", metavar="FILE", shell_complete=completing.files, help="Client certificate."
    ),
    "tls_key": click.option(
        "--tls-key", metavar="FILE", shell_complete=completing.files, help="Its key."
    ),
    "tls_first": click.option(
        "--tls-first",
        is_flag=True,
        default=None,
        help="TLS handshake before the server's greeting.",
    ),
    "socks_proxy": click.option(
        "--socks-proxy", metavar="URL", help="SOCKS5 proxy, such as socks5://127.0.0.1:1080."
    ),
    "inbox_prefix": click.option(
        "--inbox-prefix", metavar="PREFIX", help="Where answers come in, _INBOX if not given."
    ),
    "js_domain": click.option("--js-domain", metavar="NAME", help="JetStream domain."),
    "js_api_prefix": click.option(
        "--js-api-prefix", metavar="PREFIX", help="Prefix of an imported JetStream API."
    ),
    "data_dir": click.option(
        "--data-dir",
        metavar="DIR",
        shell_complete=completing.directories,
        help="Data directory of the embedded server.",
    ),
    "key_file": click.option(
        "--key-file",
        metavar="FILE",
        shell_complete=completing.files,
        help="Where the keys are, never in --data-dir.",
    ),
    "stream": click.option("--stream", metavar="NAME", help=f"The log, {STREAM} if not given."),
    "create_log": click.option(
        "--create-log", is_flag=True, default=None, help="Make the log if missing."
    ),
    "log_setting": click.option(
        "--log-setting",
        multiple=True,
        metavar="NAME=VALUE",
        help="With --create-log: max_bytes, replicas, discard, deny_delete, deny_purge, "
        "allow_direct or duplicate_window_s.",
    ),
    "bucket_bytes": click.option(
        "--bucket-bytes",
        metavar="SIZE",
        help="Limit of a projection's bucket that is made, such as 256MiB; for accounts that "
        "require limits.",
    ),
    "sealing": click.option(
        "--sealing",
        type=click.Choice(["on", "off"]),
        help="Whether a log that we make is sealed; on if not given.",
    ),
    "projection": click.option(
        "--projection",
        multiple=True,
        shell_complete=completing.files,
        metavar="FILE.py",
        help="A projection of your own, beside the built-in ones and those of packages.",
    ),
    "read_only": click.option(
        "--read-only", is_flag=True, default=None, help="Write nothing anywhere."
    ),
}


def takes_target(command: _Command) -> _Command:
    """Give a command the shared options; it finds them with `target_of`."""
    for option in reversed(_OPTIONS.values()):
        command = option(command)
    return command


takes_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def takes_hubs(command: _Command) -> _Command:
    """Give a command the option that names hubs."""
    return click.option(
        "--hub",
        multiple=True,
        metavar="ACCOUNT",
        shell_complete=completing.accounts,
        help="A hub, by key or name: its imports make no prize candidate. Found if not given.",
    )(command)


def takes_settings(command: _Command) -> _Command:
    """Give a command the option that names the settings file."""
    return click.option(
        "--settings",
        metavar="FILE",
        shell_complete=completing.files,
        help="The settings file; natster-tui help settings describes it.",
    )(command)


def settings_of() -> SettingsFile:
    """The settings file in force, named before the command or behind it. Raises UsageError."""
    from natster_tui.preferences.settings_file import read_settings

    context = click.get_current_context()
    named = context.params.get("settings") or context.find_root().params.get("settings")
    return read_settings(named, os.environ)


def own_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """A command's arguments without the shared ones."""
    return {name: value for name, value in given.items() if name not in _OPTIONS}


def target_of(*, takes_versions: bool = False) -> Target:
    """The server and log that the options name, those of the command before those of the program.

    `takes_versions` allows another version of a projection that is in use. Raises UsageError.
    """
    from natster_tui.cli.target import resolve_target

    given = given_of(click.get_current_context())
    return resolve_target(given, _connection_name(), takes_versions=takes_versions)


def writable_target(refusal: str, *, takes_versions: bool = False) -> Target:
    """`target_of` for a command that writes; with --read-only it raises RefusedError instead."""
    from natster_tui.errors import RefusedError

    target = target_of(takes_versions=takes_versions)
    if target.choice.read_only:
        raise RefusedError(f"--read-only: {refusal}")
    return target


def projections_of() -> Registry:
    """The projections that the options name, for a command that needs no server.

    Raises UsageError.
    """
    from natster_tui.cli.target import projections_from

    return projections_from(given_of(click.get_current_context()).projection)


def key_file_of() -> Path | None:
    """The key file, for a command that needs no server; None without a home directory."""
    from natster_tui.cli.target import key_file_from

    return key_file_from(given_of(click.get_current_context()))


def given_of(context: click.Context) -> GivenOptions:
    """The shared options as one value, those of the command before those of the program."""
    from natster_tui.cli.given_options import GivenOptions

    return GivenOptions.model_validate(given_options(context))


def given_options(context: click.Context) -> dict[str, Any]:
    """The same by name, only those that were given."""
    given: dict[str, Any] = {}
    at: click.Context | None = context
    while at is not None:
        for name in _OPTIONS:
            value = at.params.get(name)
            if value not in (None, ()) and name not in given:
                given[name] = value
        at = at.parent
    return given


def _connection_name() -> str:
    """What a server's operators see of this run: `natster-tui keys rotate`, `… dashboard`."""
    words: list[str] = []
    at = click.get_current_context()
    while at.parent is not None:
        words.insert(0, at.info_name or "")
        at = at.parent
    return " ".join(["natster-tui", *(words or ["dashboard"])])
