"""`natster-tui rebuild`: preflight, replay, diff, confirmation, commit, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from natster_tui.cli.options import target_of
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.outputs.projecting import (
    Plans,
    ProjectionPlan,
    ProjectionVerdict,
    Verdicts,
)
from natster_tui.cli.projecting.printing import (
    end_progress,
    names_for,
    print_changes,
    print_field_counts,
    progress_line,
)
from natster_tui.cli.projecting.projection_names import (
    chosen_projections,
    names_a_version,
    takes_projection,
)
from natster_tui.cli.prompts import confirm, confirm_by_name, is_agreed
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.cli.target import Target
from natster_tui.engine.foreign.takeover import delete_leftover, leftover_sentence
from natster_tui.engine.rebuilding.confirming import (
    Answer,
    Consent,
    Decision,
    Refusal,
    Refuse,
    Request,
)
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.rebuild_sentences import refusal, risk_sentence
from natster_tui.engine.rebuilding.scope import OneKey, Scope, WholeProjections
from natster_tui.engine.server_source import opened_log
from natster_tui.errors import UsageError
from natster_tui.projections.projection_sentences import Naming


@dataclass(frozen=True, slots=True)
class _Options:
    """The options that say how to rebuild."""

    request: Request
    dry_run: bool
    delete_consumer: bool
    as_json: bool


@click.command()
@takes_projection
@click.option("--key", metavar="KEY", help="Only this document.")
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@click.option("--purge", is_flag=True, help="Remove everything first, then recreate it.")
@click.option("--take-over", is_flag=True, help="Take over what another program projected.")
@click.option(
    "--delete-consumer",
    is_flag=True,
    help="With --take-over: delete the consumer that the other program leaves behind.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; needs --yes or --dry-run.")
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
    target = target_of(takes_versions=names_a_version(name))
    if key is not None and (name is None or purge or take_over):
        raise UsageError("--key needs one projection, and excludes --purge and --take-over")
    if take_over and names_a_version(name):
        raise UsageError("--take-over is for stored projections, not for a version beside one")
    if delete_consumer and not take_over:
        raise UsageError("--delete-consumer needs --take-over")
    if as_json and not (dry_run or yes):
        raise UsageError("--json asks nothing: add --dry-run, or --yes to commit")
    projections = chosen_projections(target.choice.projections, name)
    scope: Scope = WholeProjections(projections)
    if key is not None:
        scope = OneKey(projections[0], key)
    request = Request(purge, take_over, can_ask=not yes, read_only=target.choice.read_only)
    options = _Options(request, dry_run, delete_consumer, as_json)
    verdicts = run(_rebuild(target, scope, options))
    if not all(verdict.good for verdict in verdicts):
        click.get_current_context().exit(1)


async def _rebuild(target: Target, scope: Scope, options: _Options) -> list[Verdict]:
    if options.request.read_only and not options.dry_run:
        raise refusal(Refuse(Refusal.READ_ONLY))
    async with opened_log(target.source, target.choice) as log:
        work = Rebuild(log, scope, target.instance, progress_line())
        preflight = await work.preflight()
        if not options.as_json:
            for line in preflight.lines():
                click.echo(line)
        if not options.dry_run:
            # Before the log is read, which may take minutes.
            early = work.decide(options.request)
            if isinstance(early, Refuse):
                raise refusal(early)
        plans = await work.prepare()
        end_progress()
        if not options.as_json:
            changes = [change for plan in plans for change in plan.listed]
            _print_plans(work, plans, await names_for(log, changes, target.instance))
        if options.dry_run:
            if options.as_json:
                click.echo(output_line(Plans(tuple(map(ProjectionPlan.of, plans)))))
            return []
        consent = _confirmed(work.decide(options.request), scope, options)
        verdicts = await work.commit(consent)
        end_progress()
        _print_verdicts(verdicts, as_json=options.as_json)
        await _delete_leftovers(work, options)
        return verdicts


def _confirmed(decision: Decision, scope: Scope, options: _Options) -> Consent:
    """Ask for what the decision requires; raises RefusedError unless it is confirmed."""
    if isinstance(decision, Refuse):
        raise refusal(decision)
    if options.request.can_ask:
        for risk in decision.risks:
            click.echo(risk_sentence(risk), err=True)
        match decision.answer:
            case Answer.NAMES:
                confirm_by_name(scope.projections)
            case Answer.YES:
                confirm("Write these changes?")
            case Answer.NONE:
                pass
    return decision.consent


def _print_plans(work: Rebuild, plans: Sequence[PlannedRebuild], names: Naming | None) -> None:
    for plan in plans:
        click.echo(f"{plan.projection.name}: at {plan.seq:,}, {plan.summary}")
        print_field_counts(plan.fields(), plan.diff.keys)
        print_changes(plan.listed, names)
    for error in work.blocked.values():
        click.echo(f"blocked: {error.sentence}; the projection would end before that event")


def _print_verdicts(verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    if as_json:
        click.echo(output_line(Verdicts(tuple(map(ProjectionVerdict.of, verdicts)))))
        return
    for verdict in verdicts:
        word = "rebuilt and verified" if verdict.good else "NOT VERIFIED"
        click.echo(f"{word}: {verdict.sentence}")


async def _delete_leftovers(work: Rebuild, options: _Options) -> None:
    """Report the other program's leftover consumers, and delete them if wanted."""
    for consumer in work.leftover_consumers:
        _say(leftover_sentence(work.log, consumer))
        asks = options.request.can_ask
        wanted = options.delete_consumer or (
            asks and is_agreed(f"Delete the consumer {consumer.name}?")
        )
        if wanted:
            await delete_leftover(work.log, consumer)
            _say(f"deleted the consumer {consumer.name} on {work.log.stream}")
        elif not asks:
            _say("--delete-consumer deletes it")


def _say(line: str) -> None:
    click.echo(line, err=True)
