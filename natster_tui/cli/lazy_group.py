"""A group of commands that imports each command only when it runs.

`--help` needs the table of commands only, so it answers at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any

import click


class Section(Enum):
    """The sections of the help, in order."""

    LOOK = "Look"
    PROJECT = "Project and rebuild"
    WRITE = "Write"
    KEYS = "Keys"
    PROGRAM = "Program"


@dataclass(frozen=True)
class Command:
    """A command: its name, the module and the attribute that hold it, and its line in the help."""

    name: str
    module: str
    attribute: str
    help: str
    section: Section = Section.PROJECT


class LazyGroup(click.Group):
    """A click group that imports its commands from a table."""

    def __init__(self, *args: Any, commands_on_demand: Sequence[Command] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self._on_demand = {command.name: command for command in commands_on_demand}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group`."""
        return list(dict.fromkeys([*self._on_demand, *super().list_commands(ctx)]))

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
        names = self.list_commands(ctx)
        width = max(map(len, names), default=0)
        for section in Section:
            rows = [
                (name.ljust(width), self._help(ctx, name))
                for name in names
                if self._section(name) is section
            ]
            if rows:
                with formatter.section(section.value):
                    formatter.write_dl(rows)

    def _section(self, name: str) -> Section:
        found = self._on_demand.get(name)
        return Section.PROGRAM if found is None else found.section

    def _help(self, ctx: click.Context, name: str) -> str:
        if name in self._on_demand:
            return self._on_demand[name].help
        command = super().get_command(ctx, name)
        return "" if command is None else command.get_short_help_str()
