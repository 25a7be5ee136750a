"""Commands about projections: show, project, rebuild, verify."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import click

from natster_tui.cli import completing
from natster_tui.cli.options import takes_target, target_of
from natster_tui.cli.projecting.printing import (
    end_progress,
    print_changes,
    progress_line,
    tell_repeated_ids,
)
from natster_tui.cli.projecting.projection_names import chosen_projections
from natster_tui.cli.running import run
from natster_tui.cli.stopping import until_stopped
from natster_tui.cli.target import Target
from natster_tui.engine.beside.takeover import (
    delete_left_behind,
    left_behind,
    left_behind_sentence,
    refuse_while_active,
)
from natster_tui.engine.headless import (
    CaughtUp,
    project_until_caught_up,
    project_until_stopped,
)
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.key_rebuild import KeyRebuild
from natster_tui.engine.rebuilding.preflight import Preflight, read_preflight
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.engine.rule_alarm import watch_rules
from natster_tui.engine.server_source import opened_log, with_log
from natster_tui.engine.versions.finding import newest_loaded
from natster_tui.engine.versions.projecting import refuse_stored_version
from natster_tui.engine.workspace import WorkspaceOptions
from natster_tui.errors import RefusedError, UsageError
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.registry import Registry
from natster_tui.projections.wording import change_line
from natster_tui.store.log import EventLog
from natster_tui.text.masking import mask_text
from natster_tui.text.strict_json import json_line

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DIGITS = 20
NOT_CONFIRMED = "not confirmed: nothing was written"


@click.command()
@click.argument(
    "name", metavar="[PROJECTION]", required=False, shell_complete=completing.projections
)
@click.option("--once", is_flag=True, help="End when caught up with the head as it is now.")
@click.option("--beside", is_flag=True, help="Into a bucket of its own, beside the stored version.")
@click.option("--auto-rebuild", is_flag=True, help="Rebuild projections of another version.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print JSON.")
@takes_target
def project(
    name: str | None, once: bool, beside: bool, auto_rebuild: bool, as_json: bool, **_given: Any
) -> None:
    """Project without a screen: all projections, or one of them."""
    target = target_of(takes_versions=beside)
    if as_json and not once:
        raise UsageError("--json prints how far it came: add --once")
    if beside and name is None:
        raise UsageError("--beside needs the name of one projection")
    if target.choice.read_only:
        raise RefusedError("--read-only: projecting writes the projections")
    # Given before the command's name it is the program's.
    rebuilds = auto_rebuild or click.get_current_context().find_root().params["auto_rebuild"]
    chosen = chosen_projections(target.choice.projections, name)
    if beside:
        chosen = (_placed_beside(target, chosen[0].name),)
    choice = replace(target.choice, projections=Registry(chosen))
    if not once:
        options = WorkspaceOptions(choice, rebuilds, target.instance)
        asyncio.run(until_stopped(project_until_stopped(target.source, options, _say)))
        return

    async def catch_up(log: EventLog) -> list[CaughtUp]:
        return await project_until_caught_up(log, chosen, target.instance, auto_rebuild=rebuilds)

    done = run(with_log(target.source, choice, catch_up))
    if as_json:
        click.echo(json_line([asdict(each) for each in done]))
        return
    for each in done:
        click.echo(
            f"{each.projection}: at {each.seq:,}, {each.keys:,} keys, parked {each.parked:,}"
        )


def _placed_beside(target: Target, name: str) -> Projection[Any]:
    """The version to project beside the stored one, once it is known to be another one."""
    pair = newest_loaded(target.choice.projections, name)

    async def check(log: EventLog) -> None:
        await refuse_stored_version(log, pair)

    run(with_log(target.source, target.choice, check))
    placed = pair.placed
    watch_rules([*pair.loaded, placed])
    return placed


def _say(line: str) -> None:
    click.echo(line, err=True)


@click.command()
@click.argument("name", metavar="[PROJECTION]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@takes_target
def verify(name: str | None, as_json: bool, **_given: Any) -> None:
    """Replay the log and compare what is stored with it; exit 1 on drift."""
    target = target_of()

    chosen = chosen_projections(target.choice.projections, name)

    async def compare(log: EventLog) -> tuple[list[Verdict], ReplayProgress]:
        work = Rebuild(log, chosen, target.instance, progress_line())
        return await work.verify(), work.progress

    verdicts, progress = run(with_log(target.source, target.choice, compare))
    end_progress()
    tell_repeated_ids(progress)
    if as_json:
        click.echo(json_line([_verdict_json(verdict) for verdict in verdicts]))
    for verdict in verdicts if not as_json else ():
        click.echo(verdict.sentence)
        print_changes(verdict.listed, against="the log")
    if not all(verdict.good for verdict in verdicts):
        click.get_current_context().exit(1)


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "projection": verdict.projection.name,
        "seq": verdict.seq,
        "keys": verdict.diff.keys,
        "match": verdict.good,
        "standing": verdict.standing.value,
        "drift": [{"key": mask_text(change.key), "kind": change.kind} for change in verdict.listed],
        "explained": 0 if verdict.drift is None else verdict.drift.explained,
    }


@click.command()
@click.argument("name", metavar="[PROJECTION]", required=False)
@click.option("--key", metavar="KEY", help="Only this document.")
@click.option("--dry-run", is_flag=True, help="Show what would change, write nothing.")
@click.option("--purge", is_flag=True, help="Remove everything first, then recreate it.")
@click.option("--take-over", is_flag=True, help="Take over what another program projected.")
@click.option(
    "--delete-consumer",
    is_flag=True,
    help="With --take-over: delete the consumer that the other program leaves behind.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; asks nothing.")
@takes_target
def rebuild(
    name: str | None,
    key: str | None,
    dry_run: bool,
    purge: bool,
    take_over: bool,
    delete_consumer: bool,
    yes: bool,
    as_json: bool,
    **_given: Any,
) -> None:
    """Rebuild projections from the log: preflight, replay, diff, commit, verify."""
    target = target_of()
    if target.choice.read_only and not dry_run:
        raise RefusedError("--read-only: only rebuild --dry-run is possible")
    if key is not None and (name is None or purge or take_over):
        raise UsageError("--key needs one projection, and goes without --purge and --take-over")
    if delete_consumer and not take_over:
        raise UsageError("--delete-consumer goes with --take-over")
    if as_json and not (dry_run or yes):
        raise UsageError("--json asks nothing: add --dry-run, or --yes to commit")
    verdicts = run(
        _rebuild(
            target,
            chosen_projections(target.choice.projections, name),
            key=key,
            dry_run=dry_run,
            purge=purge,
            take_over=take_over,
            delete_consumer=delete_consumer,
            ask=not yes,
            as_json=as_json,
        )
    )
    if not all(verdict.good for verdict in verdicts):
        click.get_current_context().exit(1)


async def _rebuild(
    target: Target,
    projections: Sequence[Projection[Any]],
    *,
    key: str | None,
    dry_run: bool,
    purge: bool,
    take_over: bool,
    delete_consumer: bool,
    ask: bool,
    as_json: bool,
) -> list[Verdict]:
    async with opened_log(target.source, target.choice) as log:
        preflight = await read_preflight(log, projections, target.instance)
        if not as_json:
            _print_preflight(preflight)
        if preflight.blockers and not dry_run:
            if not ask:
                raise RefusedError("; ".join(preflight.blockers))
            _confirm_by_name(" and ".join(preflight.blockers), projections)
        work: Rebuild | KeyRebuild = (
            Rebuild(log, projections, target.instance, progress_line())
            if key is None
            else KeyRebuild(log, projections[0], key, target.instance)
        )
        plans = await work.prepare()
        end_progress()
        blocked = [error.sentence for error in work.blocked.values()]
        if not as_json:
            _print_plans(plans)
        for sentence in blocked if not as_json else ():
            click.echo(f"blocked: {sentence}; the projection would end before that event")
        if dry_run:
            if as_json:
                click.echo(json_line([_plan_json(plan) for plan in plans]))
            return []
        if blocked:
            if not ask:
                first = next(iter(work.blocked.values()))
                raise type(first)("; ".join(dict.fromkeys(blocked)), first.seq)
            _confirm_by_name("rebuilding only up to that event", projections)
        if preflight.foreign:
            if not take_over:
                raise RefusedError(
                    f"{' and '.join(preflight.foreign)} was written by another program: "
                    "add --take-over to take it over"
                )
            await refuse_while_active(log, projections, target.instance, _say)
        if ask:
            if purge or preflight.foreign:
                what = "every stored document is removed first" if purge else "taking over"
                _confirm_by_name(what, projections)
            elif any(plan.diff for plan in plans):
                confirm("Write these changes?")
        verdicts = await work.commit(purge=purge, take_over=take_over, partial=bool(blocked))
        end_progress()
        if as_json:
            click.echo(json_line([_verdict_json(verdict) for verdict in verdicts]))
        else:
            for verdict in verdicts:
                word = "rebuilt and verified" if verdict.good else "NOT VERIFIED"
                click.echo(f"{word}: {verdict.sentence}")
        if preflight.foreign:
            await _end_left_behind(log, projections, delete=delete_consumer, ask=ask)
        return verdicts


async def _end_left_behind(
    log: EventLog, projections: Sequence[Projection[Any]], *, delete: bool, ask: bool
) -> None:
    """Name the consumers that the other program leaves, and delete them where that is wanted."""
    for consumer in await left_behind(log, projections):
        _say(left_behind_sentence(log, consumer))
        wanted = delete or (ask and _agreed(f"Delete the consumer {consumer.name}?"))
        if wanted:
            await delete_left_behind(log, consumer)
            _say(f"deleted the consumer {consumer.name} on {log.stream}")
        elif not ask:
            _say("--delete-consumer deletes it")


def _agreed(question: str) -> bool:
    """Ask something after all is done: without a terminal the answer is no."""
    try:
        with asking():
            return click.confirm(question, err=True)
    except RefusedError:
        return False


def _confirm_by_name(what: str, projections: Sequence[Projection[Any]]) -> None:
    wanted = " ".join(projection.name for projection in projections)
    with asking():
        typed = click.prompt(
            f"{what}: type {wanted} to go on", default="", show_default=False, err=True
        )
    if typed.strip() != wanted:
        raise RefusedError(NOT_CONFIRMED)


def confirm(question: str, otherwise: str = NOT_CONFIRMED) -> None:
    """Ask; raises RefusedError with `otherwise` if the answer is not yes."""
    with asking(otherwise):
        agreed = click.confirm(question, err=True)
    if not agreed:
        raise RefusedError(otherwise)


@contextmanager
def asking(otherwise: str = NOT_CONFIRMED) -> Iterator[None]:
    """Around a prompt, which holds up the event loop; `otherwise` says what was not done.

    The loop's own handler of Ctrl-C would wait for the loop; here it must end the prompt. Without
    a terminal the input ends at once, which is no agreement.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except click.Abort as error:
        click.echo(err=True)
        if isinstance(error.__context__, EOFError):
            raise RefusedError(f"{otherwise}; in scripts use --yes") from error
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def _print_preflight(preflight: Preflight) -> None:
    for line in preflight.lines():
        click.echo(line)


def _print_plans(plans: Sequence[PlannedRebuild]) -> None:
    for plan in plans:
        click.echo(f"{plan.projection.name}: at {plan.seq:,}, {plan.summary}")
        print_changes(plan.listed, against="what is stored")


def _plan_json(plan: PlannedRebuild) -> dict[str, Any]:
    return {
        "projection": plan.projection.name,
        "seq": plan.seq,
        "keys": plan.diff.keys,
        "standing": plan.stored.standing.value,
        "changes": [
            {
                "key": mask_text(change.key),
                "kind": change.kind,
                "fields": [change_line(field) for field in change.fields()],
            }
            for change in plan.diff.changes
        ],
        "explained": 0 if plan.drift is None else plan.drift.explained,
        "unexplained": None
        if plan.drift is None
        else [mask_text(change.key) for change in plan.drift.unexplained.changes],
    }
