"""`natster-tui check-name`: whether a catalog's name is free."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli.line_format import NamesAndKeys, for_output
from natster_tui.cli.options import takes_json, target_of
from natster_tui.cli.outputs.community import CheckedName, TakenName
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.rebuilding.replay import replay
from natster_tui.engine.server_source import with_log
from natster_tui.errors import UsageError
from natster_tui.events.tokens import is_usable_token
from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_text, screen_text


@click.command("check-name")
@click.argument("name")
@takes_json
@takes_target
def check_name(name: str, as_json: bool, **_given: Any) -> None:
    """Check whether a catalog may be called NAME; exits 1 if the name is taken.

    A name that differs from another in letter case only counts as taken, because importers
    confuse the two.
    """
    target = target_of()
    if not is_usable_token(name):
        raise UsageError(
            f"{screen_text(name, 60)} cannot be a catalog's name: use letters, digits, - _ and =, "
            "no _ at the beginning, and not the word none"
        )

    async def read(log: EventLog) -> tuple[dict[str, CatalogState], dict[str, str]]:
        head = (await log.refresh()).last_seq
        read_in = await replay(log, [ACCOUNTS, CATALOGS], head, target.instance)
        accounts: dict[str, AccountState] = read_in.folds[ACCOUNTS.name].states
        names = {key: state.account_name or "" for key, state in accounts.items()}
        return read_in.folds[CATALOGS.name].states, names

    catalogs, names = run(with_log(target.source, target.choice, read))
    taken = [each for each in catalogs if each.lower() == name.lower()]
    taken.sort(key=lambda each: each != name)
    called = NamesAndKeys(names)
    if as_json:
        found = _taken_names(taken, catalogs, names)
        click.echo(output_line(CheckedName(name=name, free=not taken, taken=found)))
    elif not taken:
        click.echo(f"{name} is free")
    else:
        for each in taken:
            state = catalogs[each]
            line = f"{screen_text(each, 100)} is taken: {called.of(state.owner)} owns it"
            if each != name:
                line += f", and {name} differs from it in letter case only"
            if state.contested_by:
                line += f"; also used by {', '.join(map(called.of, state.contested_by))}"
            click.echo(for_output(line))
    if taken:
        click.get_current_context().exit(1)


def _taken_names(
    taken: list[str], catalogs: dict[str, CatalogState], names: dict[str, str]
) -> tuple[TakenName, ...]:
    return tuple(
        TakenName(
            name=mask_text(each),
            owner=mask_text(catalogs[each].owner),
            owner_name=mask_text(names.get(catalogs[each].owner, "")),
            contested_by=tuple(mask_text(key) for key in catalogs[each].contested_by),
        )
        for each in taken
    )
