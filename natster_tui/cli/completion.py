"""Completion in the shell: contexts, files, projections, accounts and catalogs.

Accounts and catalogs are read from the log that the options typed so far name. Nothing is
written. If the log cannot be read in time, nothing is completed and nothing is reported, because a
shell cannot show a message there. An account is also found by its name; its key is completed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Coroutine, Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

from click import Context, Parameter
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from natster_tui.projections.registering.registry import Registry
    from natster_tui.store.log import EventLog

COMPLETE_VARIABLE = "_NATSTER_TUI_COMPLETE"
"""The environment variable that a shell's completion script sets."""

_WITHIN_S = 3.0
_PLAIN = re.compile(r"[\w.@+=-]+")
_NAME = 40


def files(_context: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Files, by the shell itself."""
    return [CompletionItem(incomplete, type="file")]


def directories(
    _context: Context, _parameter: Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Directories, by the shell itself."""
    return [CompletionItem(incomplete, type="dir")]


def contexts(
    _context: Context, _parameter: Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """The contexts of the nats tool."""
    from natster_tui.store.settings.nats_contexts import context_names

    return _beginning(context_names(os.environ), incomplete)


def projections(
    context: Context, _parameter: Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """The projections that are built in, installed, or in a file that was named."""
    return _beginning(_registry(context).names, incomplete)


def documents(
    context: Context, _parameter: Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Projections as above, and the loaded versions beside them."""
    return _beginning(_with_versions(_registry(context)), incomplete)


def lists(context: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The lists that `list` can print."""
    from natster_tui.projections.registering.registry import BUILT_IN

    brought = [each for each in _with_versions(_registry(context)) if each not in BUILT_IN.names]
    return _beginning(("accounts", "catalogs", *brought), incomplete)


def keys(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The keys of the projection that the previous argument names."""
    from natster_tui.cli.reading.document_commands import is_of_accounts

    named = str(context.params.get("kind") or context.params.get("name")).partition(".")[0]
    registry = _registry(context)
    if named not in registry.names:
        return []
    known = accounts if is_of_accounts(registry.named(named)) else catalogs
    return known(context, parameter, incomplete)


def accounts(context: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Accounts by their keys and names, as keys."""
    from natster_tui.engine.account_names import account_names
    from natster_tui.text.masking import screen_text

    async def read(log: EventLog, instance: str) -> dict[str, str]:
        return await account_names(log, instance)

    wanted = incomplete.lower()
    return [
        CompletionItem(key, help=screen_text(name, _NAME) or None)
        for key, name in _read(context, read).items()
        if (key.lower().startswith(wanted) or wanted in name.lower()) and _PLAIN.fullmatch(key)
    ]


def catalogs(context: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Catalogs by their names."""
    from natster_tui.engine.rebuilding.replay import replay
    from natster_tui.projections.registering.registry import CATALOGS

    async def read(log: EventLog, instance: str) -> dict[str, str]:
        head = (await log.refresh()).last_seq
        read_in = await replay(log, [CATALOGS], head, instance)
        return dict.fromkeys(read_in.folds[CATALOGS.name].states, "")

    return _beginning(sorted(_read(context, read)), incomplete)


def _with_versions(registry: Registry) -> tuple[str, ...]:
    """The names of all projections, and those of the versions beside that are loaded."""
    from natster_tui.projections.versions.naming import placed_beside

    return (*registry.names, *(placed_beside(each).name for each in registry.versions))


def _registry(context: Context) -> Registry:
    """The projections that are known here; only the built-in ones if a named file does not load."""
    from natster_tui.cli.options import given_of
    from natster_tui.errors import UsageError
    from natster_tui.projections.registering.loading import load_registry
    from natster_tui.projections.registering.registry import BUILT_IN
    from natster_tui.store.settings.files import expand_home

    try:
        files = [expand_home(file) for file in given_of(context).projection]
        # A file may print when it is loaded, but a shell can show no messages here.
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            return load_registry(files, takes_versions=True)[0]
    except UsageError:
        return BUILT_IN


def _beginning(names: Any, incomplete: str) -> list[CompletionItem[str]]:
    return [
        CompletionItem(name)
        for name in names
        if name.startswith(incomplete) and _PLAIN.fullmatch(name)
    ]


def _read(
    context: Context, work: Callable[[EventLog, str], Coroutine[Any, Any, dict[str, str]]]
) -> Mapping[str, str]:
    """The result of `work` on the log that the options name; empty if that fails."""
    import asyncio

    from natster_tui.cli.failures import report_unawaited
    from natster_tui.cli.options import given_of
    from natster_tui.cli.target import resolve_target
    from natster_tui.engine.server_source import with_log
    from natster_tui.errors import NatsterError

    # A shell cannot show messages here.
    report_unawaited(lambda _sentence: None)
    given = given_of(context).model_copy(
        update={"read_only": True, "create_log": False, "projection": ()}
    )
    try:
        target = resolve_target(given, "natster-tui completion")

        async def read(log: EventLog) -> dict[str, str]:
            return await work(log, target.instance)

        reading = with_log(target.source, target.choice, read)
        return asyncio.run(asyncio.wait_for(reading, _WITHIN_S))
    except (NatsterError, TimeoutError, OSError):
        return {}
