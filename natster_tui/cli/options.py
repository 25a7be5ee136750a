"""Reading the shared options when a command runs, and the options that several commands take.

`target` turns them into a server and a log. It is imported only then, because `--help` needs none
of it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from natster_tui.cli import completion
from natster_tui.cli.shared_options import SharedOption

if TYPE_CHECKING:
    from pathlib import Path

    from natster_tui.cli.given_options import GivenOptions
    from natster_tui.cli.target import Target
    from natster_tui.preferences.settings_file import SettingsFile
    from natster_tui.projections.registering.registry import Registry

takes_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


takes_hubs = click.option(
    "--hub",
    multiple=True,
    metavar="ACCOUNT",
    shell_complete=completion.accounts,
    help="A hub, by key or name; imports from hubs do not make prize candidates. "
    "Detected if not given.",
)

takes_settings = click.option(
    "--settings",
    metavar="FILE",
    shell_complete=completion.files,
    help="The settings file; natster-tui help settings describes it.",
)


def settings_of() -> SettingsFile:
    """The settings file in force, named after the command or before it. Raises UsageError."""
    from natster_tui.preferences.settings_file import read_settings

    context = click.get_current_context()
    named = context.params.get("settings") or context.find_root().params.get("settings")
    return read_settings(named, os.environ)


def target_of(*, takes_versions: bool = False) -> Target:
    """The server and log that the options name; options after the command's name take precedence.

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
    """The shared options as one value; options after the command's name take precedence."""
    from natster_tui.cli.given_options import GivenOptions

    return GivenOptions.model_validate(given_options(context))


def given_options(context: click.Context) -> dict[str, Any]:
    """The shared options that were given, by name."""
    given: dict[str, Any] = {}
    at: click.Context | None = context
    while at is not None:
        for name in _shared_names(at.command):
            value = at.params.get(name)
            if value not in (None, ()) and name not in given:
                given[name] = value
        at = at.parent
    return given


def _shared_names(command: click.Command) -> list[str]:
    return [each.name for each in command.params if isinstance(each, SharedOption) and each.name]


def _connection_name() -> str:
    """The name of the connection for a server's operators: `natster-tui keys rotate`."""
    words: list[str] = []
    at = click.get_current_context()
    while at.parent is not None:
        words.insert(0, at.info_name or "")
        at = at.parent
    return " ".join(["natster-tui", *(words or ["dashboard"])])
