"""`natster-tui help`: the documentation's topics, and the commands' own help."""

from __future__ import annotations

import os
import sys

import click
from click.shell_completion import CompletionItem

from natster_tui.cli import completion
from natster_tui.cli.program.markdown_lines import for_terminal
from natster_tui.docs import NAMES, topic, topics
from natster_tui.errors import UsageError
from natster_tui.text.masking import screen_text

_PERMISSIONS = "permissions"


def _topics_and_commands(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    program = context.find_root().command
    assert isinstance(program, click.Group)
    names = (*NAMES, *program.list_commands(context))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command("help")
@click.argument("words", nargs=-1, metavar="[TOPIC|COMMAND]", shell_complete=_topics_and_commands)
@click.option(
    "--projection",
    "files",
    multiple=True,
    shell_complete=completion.files,
    metavar="FILE.py",
    help="List this projection, too, in the topic permissions.",
)
def help_(words: tuple[str, ...], files: tuple[str, ...]) -> None:
    """Show a topic of the documentation, or a command's options; alone, list the topics.

    In a pipe a topic is printed as Markdown. The topic permissions lists what the projections in
    use need: those of installed packages, and those of the files that are named.
    """
    files = files or click.get_current_context().find_root().params["projection"]
    if not words:
        _list_topics()
    elif len(words) == 1 and words[0] in NAMES:
        _print_topic(words[0], files)
    else:
        _print_command(words)


def _list_topics() -> None:
    click.echo("Topics, for natster-tui help TOPIC:\n")
    for each in topics():
        click.echo(f"  {each.name:<12} {each.summary}")
    click.echo(
        "\nOptions of a command: natster-tui help COMMAND. All commands: natster-tui --help."
    )


def _print_topic(name: str, files: tuple[str, ...]) -> None:
    text = topic(name).text
    if name == _PERMISSIONS:
        text = _with_permissions(text, files)
    if sys.stdout.isatty():
        # With NO_COLOR the text has no styles.
        color = False if os.environ.get("NO_COLOR") else None
        click.echo(for_terminal(text), nl=False, color=color)
    else:
        click.echo(text, nl=False)


def _with_permissions(text: str, files: tuple[str, ...]) -> str:
    """The page for the projections in use; a second version of one of them lies beside it."""
    from natster_tui.cli.target import projections_from
    from natster_tui.engine.permissions import with_permissions
    from natster_tui.events.natster import NATSTER
    from natster_tui.projections.versions.naming import placed_beside

    registry = projections_from(files, takes_versions=True)
    placed = [placed_beside(each) for each in registry.versions]
    return with_permissions(text, NATSTER.stream, (*registry, *placed))


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
