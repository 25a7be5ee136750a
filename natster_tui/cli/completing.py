"""What the shell completes: contexts, files, projections, accounts and catalogs.

Accounts and catalogs are read from the log that the options typed so far name. Nothing is
written. If the log cannot be read in time, nothing is completed and nothing is reported, because a
shell cannot show a message there. An account is also found by its name; its key is completed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from click import Context, Parameter
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from natster_tui.store.log import EventLog

Completer = Callable[[Context, Parameter, str], "list[CompletionItem[str]]"]

COMPLETE_VARIABLE = "_NATSTER_TUI_COMPLETE"
"""The environment variable by which a shell's script asks for completions."""

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
    _context: Context, _parameter: Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """The projections that come with the program."""
    from natster_tui.projections.registering.registry import BUILT_IN

    return _beginning(BUILT_IN.names, incomplete)


def lists(_context: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """What can be listed without a projection of one's own."""
    return _beginning(("accounts", "catalogs"), incomplete)


def keys(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The keys of the projection that was named before."""
    named = context.params.get("kind") or context.params.get("name")
    known = {"account": accounts, "catalog": catalogs}.get(str(named))
    return [] if known is None else known(context, parameter, incomplete)


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


def _beginning(names: Any, incomplete: str) -> list[CompletionItem[str]]:
    return [
        CompletionItem(name)
        for name in names
        if name.startswith(incomplete) and _PLAIN.fullmatch(name)
    ]


def _read(
    context: Context, work: Callable[[EventLog, str], Coroutine[Any, Any, dict[str, str]]]
) -> Mapping[str, str]:
    """What `work` reads from the log that the options name; empty if that fails."""
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
