"""`natster-tui completion`: the script for completion in the shell."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from natster_tui.cli.completion import COMPLETE_VARIABLE

_PROGRAM = "natster-tui"


_HELP = """Print the completion script of a SHELL.

It completes commands, options, files, contexts and projections. Accounts and catalogs come from
the log that the options name; nothing is written to it.

\b
bash  eval "$(natster-tui completion bash)"   in ~/.bashrc
zsh   eval "$(natster-tui completion zsh)"    in ~/.zshrc, after compinit
fish  natster-tui completion fish | source    in ~/.config/fish/config.fish
"""


@click.command(help=_HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script."""
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root().command
    script = found(root, {}, _PROGRAM, COMPLETE_VARIABLE)
    # Not `script.source()`: for bash that would run bash to ask for its version.
    click.echo(ShellComplete.source(script), nl=False)
