"""The options that nearly all commands share, and `--help-all`, which describes them.

`--help` leaves them out, so that it shows what is special about a command.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

from natster_tui.cli import completion
from natster_tui.events.stream_name import STREAM

_Command = TypeVar("_Command", bound=Callable[..., Any])


class SharedOption(click.Option):
    """An option that `--help` leaves out and `--help-all` describes in a section of its own."""

    section = ""

    def get_help_record(self, ctx: click.Context) -> None:
        """See `click.Option`."""

    def description(self, ctx: click.Context) -> tuple[str, str]:
        """The option and its help, for `--help-all`."""
        return super().get_help_record(ctx) or ("", "")


class _ConnectionOption(SharedOption):
    section = "Connection options"


class _LogOption(SharedOption):
    section = "Log options"


_connection = partial(click.option, cls=_ConnectionOption)
_log = partial(click.option, cls=_LogOption)

_OPTIONS = (
    _connection("--server", metavar="URL", help="URL of a NATS server, or several with commas."),
    _connection(
        "--context",
        metavar="NAME",
        shell_complete=completion.contexts,
        help="A context of the nats tool.",
    ),
    _connection(
        "--creds",
        metavar="FILE",
        shell_complete=completion.files,
        help="Credentials file (user JWT and seed).",
    ),
    _connection("--nkey", metavar="FILE", shell_complete=completion.files, help="NKey seed file."),
    _connection("--user", metavar="NAME", help="User name, or a token."),
    _connection("--password", metavar="TEXT", help="Password; better in NATS_PASSWORD."),
    _connection("--token", metavar="TEXT", help="Token; better in NATS_TOKEN."),
    _connection(
        "--user-jwt", metavar="JWT", help="User JWT; better as a file:// or env:// reference."
    ),
    _connection(
        "--user-seed", metavar="SEED", help="User seed; better as a file:// or env:// reference."
    ),
    _connection(
        "--tls-ca",
        metavar="FILE",
        shell_complete=completion.files,
        help="Certificate authority to trust.",
    ),
    _connection(
        "--tls-cert", metavar="FILE", shell_complete=completion.files, help="Client certificate."
    ),
    _connection(
        "--tls-key",
        metavar="FILE",
        shell_complete=completion.files,
        help="Key of the client certificate.",
    ),
    _connection(
        "--tls-first",
        is_flag=True,
        default=None,
        help="TLS handshake before the server's greeting.",
    ),
    _connection(
        "--socks-proxy", metavar="URL", help="SOCKS5 proxy, such as socks5://127.0.0.1:1080."
    ),
    _connection(
        "--inbox-prefix",
        metavar="PREFIX",
        help="Prefix of reply subjects; _INBOX if not given.",
    ),
    _connection("--js-domain", metavar="NAME", help="JetStream domain."),
    _connection("--js-api-prefix", metavar="PREFIX", help="Prefix of an imported JetStream API."),
    _log(
        "--data-dir",
        metavar="DIR",
        shell_complete=completion.directories,
        help="Data directory of the embedded server.",
    ),
    _log(
        "--key-file",
        metavar="FILE",
        shell_complete=completion.files,
        help="Key file; it must not be inside --data-dir.",
    ),
    _log("--stream", metavar="NAME", help=f"Stream of the log; {STREAM} if not given."),
    _log("--create-log", is_flag=True, default=None, help="Create the log if it does not exist."),
    _log(
        "--log-setting",
        multiple=True,
        metavar="NAME=VALUE",
        help="With --create-log: max_bytes, replicas, discard, deny_delete, deny_purge, "
        "allow_direct or duplicate_window_s.",
    ),
    _log(
        "--bucket-bytes",
        metavar="SIZE",
        help="Limit of the buckets that are created, such as 256MiB; for accounts that require "
        "limits.",
    ),
    _log(
        "--sealing",
        type=click.Choice(["on", "off"]),
        help="Whether a log that is created is sealed; on if not given.",
    ),
    _log(
        "--projection",
        multiple=True,
        shell_complete=completion.files,
        metavar="FILE.py",
        help="A projection of your own, in addition to the built-in and the installed ones.",
    ),
    _log("--read-only", is_flag=True, default=None, help="Write nothing anywhere."),
)


def _print_all(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """Print a command's help with the shared options after it, and end."""
    if not asked or context.resilient_parsing:
        return
    formatter = context.make_formatter()
    context.command.format_help(context, formatter)
    for section in (_ConnectionOption.section, _LogOption.section):
        with formatter.section(section):
            formatter.write_dl(
                [
                    option.description(context)
                    for option in context.command.params
                    if isinstance(option, SharedOption) and option.section == section
                ]
            )
    click.echo(formatter.getvalue().rstrip("\n"))
    context.exit()


_help_all = click.option(
    "--help-all",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_all,
    help="Also show the connection and log options, such as --server and --creds.",
)


def takes_target(command: _Command) -> _Command:
    """Give a command the shared options, which `options.target_of` reads, and `--help-all`."""
    command = _help_all(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
