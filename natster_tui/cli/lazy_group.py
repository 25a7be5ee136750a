"""A group whose commands are loaded when they run: its `--help` needs a table only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click


@dataclass(frozen=True)
class Command:
    """A command, the module of this package and the name in it where it is, and its help line."""

    name: str
    module: str
    attribute: str
    help: str


class LazyGroup(click.Group):
    """A group that finds its commands in a table."""

    def __init__(self, *args: Any, commands_on_demand: Sequence[Command] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self._on_demand = {command.name: command for command in commands_on_demand}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group`."""
        return sorted({*super().list_commands(ctx), *self._on_demand})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group`."""
        found = self._on_demand.get(cmd_name)
        if found is None:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"{__package__}.{found.module}")
        command: click.Command = getattr(module, found.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See `click.Group`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._help(ctx, name)) for name in self.list_commands(ctx)])

    def _help(self, ctx: click.Context, name: str) -> str:
        if name in self._on_demand:
            return self._on_demand[name].help
        command = super().get_command(ctx, name)
        return "" if command is None else command.get_short_help_str()
