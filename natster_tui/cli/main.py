"""The program: its commands, and how failures become one sentence and an exit code."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any

import click

from natster_tui import __version__
from natster_tui.cli.completion import COMPLETE_VARIABLE, files
from natster_tui.cli.lazy_group import Command, LazyGroup, Section
from natster_tui.cli.options import takes_hubs, takes_settings
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.gc_tuning import collect_rarely

_INTERRUPTED = 130

LOOK, PROJECT, WRITE = Section.LOOK, Section.PROJECT, Section.WRITE
KEYS, PROGRAM = Section.KEYS, Section.PROGRAM


_COMMANDS = (
    Command(
        "status",
        "reading.status_command",
        "status",
        "Show the log, its projections, and hazards.",
        LOOK,
    ),
    Command("tail", "reading.log_reading_commands", "tail", "Print events as lines.", LOOK),
    Command("list", "reading.list_command", "list_", "List accounts, catalogs or documents.", LOOK),
    Command("show", "reading.document_commands", "show", "Show one document.", LOOK),
    Command("diff", "reading.diff_command", "diff", "Compare one document at two moments.", LOOK),
    Command(
        "why",
        "reading.document_commands",
        "why",
        "List the events that changed a document.",
        LOOK,
    ),
    Command(
        "event", "reading.event_command", "event", "Show one event, and what it changed.", LOOK
    ),
    Command(
        "community",
        "reading.community_command",
        "community",
        "Show the community's figures.",
        LOOK,
    ),
    Command(
        "check-name",
        "reading.check_name_command",
        "check_name",
        "Check whether a catalog's name is free.",
        LOOK,
    ),
    Command(
        "project", "projecting.projection_commands", "project", "Project without a screen.", PROJECT
    ),
    Command(
        "rebuild",
        "projecting.rebuild_command",
        "rebuild",
        "Rebuild projections from the log.",
        PROJECT,
    ),
    Command(
        "verify",
        "projecting.projection_commands",
        "verify",
        "Compare what is stored with the log.",
        PROJECT,
    ),
    Command(
        "compare",
        "projecting.version_commands",
        "compare",
        "Compare the stored version with the one beside it.",
        PROJECT,
    ),
    Command(
        "promote",
        "projecting.version_commands",
        "promote",
        "Promote the version beside to the stored one.",
        PROJECT,
    ),
    Command(
        "drop",
        "projecting.version_commands",
        "drop",
        "Delete the version beside the stored one.",
        PROJECT,
    ),
    Command("try", "projecting.try_commands", "try_", "Try a projection of your own.", PROJECT),
    Command(
        "fold", "projecting.try_commands", "fold", "Fold an exported log without a server.", PROJECT
    ),
    Command(
        "publish", "writing.log_commands", "publish", "Validate one event and append it.", WRITE
    ),
    Command("export", "writing.log_commands", "export", "Print the log as JSON lines.", WRITE),
    Command(
        "import", "writing.log_commands", "import_", "Append the events of an exported file.", WRITE
    ),
    Command(
        "keys", "writing.key_commands", "keys", "List, rotate, erase or back up the keys.", KEYS
    ),
    Command(
        "demo",
        "program.dashboard_commands",
        "demo",
        "Open the dashboard on a made-up community.",
        PROGRAM,
    ),
    Command(
        "completion",
        "program.completion_command",
        "completion",
        "Print the completion script of a shell.",
        PROGRAM,
    ),
    Command(
        "config",
        "program.config_command",
        "config",
        "List the settings in force, and where each comes from.",
        PROGRAM,
    ),
    Command(
        "schema",
        "program.schema_command",
        "schema",
        "Print the JSON schema of a command's output.",
        PROGRAM,
    ),
    Command(
        "help",
        "program.help_command",
        "help_",
        "Show a topic of the documentation, or a command.",
        PROGRAM,
    ),
)


class _Program(LazyGroup):
    def invoke(self, context: click.Context) -> Any:
        from natster_tui.cli.failures import report_unawaited

        report_unawaited(_complain)
        try:
            return super().invoke(context)
        except BrokenPipeError:
            # The reader of our output closed the pipe, as `head` does. That is no failure.
            _abandon_output()
            context.exit(0)


@click.group(
    cls=_Program,
    commands_on_demand=_COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="natster-tui")
@click.option("--auto-rebuild", is_flag=True, help="Rebuild projections of another version.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@click.option(
    "--try",
    "tried",
    metavar="FILE.py",
    shell_complete=files,
    help="Show a projection that is not stored, folded again at each save.",
)
@takes_hubs
@takes_settings
@takes_target
def program(
    auto_rebuild: bool, ascii_only: bool, tried: str | None, hub: tuple[str, ...], **_given: Any
) -> None:
    """Watch, understand and rebuild the projections of a Natster event log.

    Without a command the dashboard opens. It connects to the server that the options, the NATS
    environment variables or the selected nats context name; without any of them it starts an
    embedded server.
    """
    if click.get_current_context().invoked_subcommand is None:
        from natster_tui.cli.program.dashboard_commands import open_dashboard

        open_dashboard(auto_rebuild=auto_rebuild, ascii_only=ascii_only, hubs=hub, tried=tried)


def run() -> None:
    """Run the program; every failure is one sentence on stderr and an exit code.

    Modules that only a command or a failure needs are imported there, so that `--help` and
    `--version` answer at once.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the terminal lacks is replaced and causes no error.
        sys.stdout.reconfigure(errors="replace")
    collect_rarely()
    try:
        code = program.main(standalone_mode=False, complete_var=COMPLETE_VARIABLE)
    except click.ClickException as error:
        # click prints a list of choices on several lines.
        _complain(" ".join(error.format_message().split()))
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted")
        sys.exit(_INTERRUPTED)
    except Exception as error:
        from natster_tui.cli.failures import as_sentence

        failure = as_sentence(error)
        _complain(failure.sentence)
        if failure is not error:
            _abandon_output()
        sys.exit(failure.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _abandon_output() -> None:
    """Drop unwritten output; at exit Python would try to write it again, and print a traceback."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(sentence: str) -> None:
    from natster_tui.cli.messages import say

    say(sentence)
