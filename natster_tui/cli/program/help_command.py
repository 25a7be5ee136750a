"""`natster-tui help`: the documentation's topics, and the commands' own help."""

from __future__ import annotations

import os
import sys

import click

from natster_tui.cli.program.markdown_lines import for_terminal
from natster_tui.docs import NAMES, topic, topics
from natster_tui.errors import UsageError
from natster_tui.text.masking import screen_text


@click.command("help")
@click.argument("words", nargs=-1, metavar="[TOPIC|COMMAND]")
def help_(words: tuple[str, ...]) -> None:
    """A topic of the documentation, or the options of a command; alone, the list of topics.

    In a pipe a topic is printed as it is written, in Markdown.
    """
    if not words:
        _list_topics()
    elif len(words) == 1 and words[0] in NAMES:
        _print_topic(words[0])
    else:
        _print_command(words)


def _list_topics() -> None:
    click.echo("Topics, for natster-tui help TOPIC:\n")
    for each in topics():
        click.echo(f"  {each.name:<12} {each.summary}")
    click.echo(
        "\nOptions of a command: natster-tui help COMMAND. All commands: natster-tui --help."
    )


def _print_topic(name: str) -> None:
    text = topic(name).text
    if sys.stdout.isatty():
        # A terminal that wants no colours gets the words alone.
        color = False if os.environ.get("NO_COLOR") else None
        click.echo(for_terminal(text), nl=False, color=color)
    else:
        click.echo(text, nl=False)


def _print_command(words: tuple[str, ...]) -> None:
    context = click.get_current_context().find_root()
    command: click.Command = context.command
    for word in words:
        found = command.get_command(context, word) if isinstance(command, click.Group) else None
        if found is None:
            raise UsageError(
                f"there is no topic or command {screen_text(' '.join(words), 60)}: "
                "natster-tui help lists the topics, natster-tui --help the commands"
            )
        context = click.Context(found, parent=context, info_name=word)
        command = found
    click.echo(command.get_help(context))
