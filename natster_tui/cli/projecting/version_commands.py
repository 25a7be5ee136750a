"""`natster-tui compare`, `promote` and `drop`, for a version beside the stored one."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli import completion
from natster_tui.cli.options import takes_json, target_of, writable_target
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.outputs.versions import ComparedVersions, PromotedVersion
from natster_tui.cli.projecting.printing import (
    end_progress,
    names_for,
    print_changes,
    print_field_counts,
    progress_line,
)
from natster_tui.cli.projecting.projection_names import chosen_projection
from natster_tui.cli.prompts import confirm, confirm_by_name
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.cli.target import Target
from natster_tui.engine.rebuilding.confirming import Answer, Decision, Refuse, Request
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.rebuilding.rebuild_sentences import refusal, risk_sentence
from natster_tui.engine.rule_alarm import watch_rules
from natster_tui.engine.server_source import opened_log, with_log
from natster_tui.engine.versions.comparing import compare_versions
from natster_tui.engine.versions.dropping import drop_version
from natster_tui.engine.versions.finding import VersionPair, version_beside
from natster_tui.engine.versions.promoting import Promotion
from natster_tui.engine.versions.side_by_side import SideBySide
from natster_tui.errors import UsageError
from natster_tui.projections.projection_sentences import Naming
from natster_tui.store.log import EventLog

_version = click.option(
    "--version",
    "version",
    type=click.IntRange(min=1),
    metavar="N",
    help="The version beside, if there are several.",
)
_name = click.argument("name", metavar="PROJECTION", shell_complete=completion.projections)


@click.command()
@_name
@_version
@takes_json
@takes_target
def compare(name: str, version: int | None, as_json: bool, **_given: Any) -> None:
    """Compare the stored version of a projection with the one beside it.

    Both are compared at the same event, while both are projected. Exits 1 if they differ.
    """
    target = target_of(takes_versions=True)
    registry = target.choice.projections
    chosen_projection(registry, name)

    async def work(log: EventLog) -> tuple[SideBySide, Naming | None]:
        pair = await version_beside(log.link, registry, name, version)
        compared = await compare_versions(log, pair, target.instance)
        return compared, await names_for(log, compared.difference.diff.changes, target.instance)

    found, names = run(with_log(target.source, target.choice, work))
    if as_json:
        click.echo(output_line(ComparedVersions.of(found)))
    else:
        print_comparison(found, names)
    if found.difference:
        click.get_current_context().exit(1)


def print_comparison(found: SideBySide, names: Naming | None) -> None:
    """Print two versions side by side: the counts, the fields, and the first documents."""
    for line in found.lines():
        click.echo(line)
    print_field_counts(found.difference.fields(), found.difference.diff.keys)
    print_changes(found.difference.diff.changes, names)


@click.command()
@_name
@_version
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; needs --yes.")
@takes_target
def promote(name: str, version: int | None, yes: bool, as_json: bool, **_given: Any) -> None:
    """Promote the version beside: rebuild the stored bucket with its rule, and verify that.

    Refused while either version lags behind the log, or if the version beside does not verify.
    """
    target = writable_target("promoting writes the projection", takes_versions=True)
    chosen_projection(target.choice.projections, name)
    request = Request(can_ask=not yes)
    if as_json and not yes:
        raise UsageError("--json asks nothing: add --yes")
    verdict, beside = run(_promote(target, name, version, request, as_json=as_json))
    if as_json:
        click.echo(output_line(PromotedVersion.of(verdict, beside)))
    else:
        word = "promoted and verified" if verdict.good else "NOT VERIFIED"
        click.echo(f"{word}: version {verdict.projection.version} of {verdict.sentence}")
        click.echo(f"{beside} is still there: natster-tui drop {name} deletes it", err=True)
    if not verdict.good:
        click.get_current_context().exit(1)


async def _promote(
    target: Target, name: str, version: int | None, request: Request, *, as_json: bool
) -> tuple[Verdict, str]:
    """Promote the version, and return the verdict on it and the bucket of the version beside."""
    async with opened_log(target.source, target.choice) as log:
        pair = await version_beside(log.link, target.choice.projections, name, version)
        watch_rules([*pair.loaded, pair.beside])
        promotion = Promotion(log, pair, target.instance, progress_line())
        plan = await promotion.prepare()
        end_progress()
        if not as_json:
            if plan.compared is None:
                click.echo(f"{name}: finishing an interrupted rebuild")
            else:
                changes = plan.compared.difference.diff.changes
                print_comparison(plan.compared, await names_for(log, changes, target.instance))
            click.echo(f"version {pair.version} beside: {plan.candidate.sentence}")
            click.echo(f"{pair.current.bucket} at {plan.rebuild.seq:,}: {plan.rebuild.summary}")
        _confirm_promotion(promotion.decide(request), request, pair)
        verdict = await promotion.commit()
        end_progress()
        return verdict, pair.bucket


def _confirm_promotion(decision: Decision, request: Request, pair: VersionPair) -> None:
    """Ask for what the decision requires; raises RefusedError unless it is confirmed."""
    if isinstance(decision, Refuse):
        raise refusal(decision)
    if not request.can_ask:
        return
    for risk in decision.risks:
        click.echo(risk_sentence(risk), err=True)
    if decision.answer is Answer.NAMES:
        confirm_by_name((pair.current,))
    else:
        confirm(f"Make version {pair.version} the stored one, in {pair.current.bucket}?")


@click.command()
@_name
@_version
@click.option("--yes", is_flag=True, help="Do not ask.")
@takes_target
def drop(name: str, version: int | None, yes: bool, **_given: Any) -> None:
    """Delete the bucket of the version beside a projection; the stored version stays."""
    target = writable_target("dropping deletes a bucket", takes_versions=True)
    registry = target.choice.projections
    chosen_projection(registry, name)

    async def work() -> str:
        async with opened_log(target.source, target.choice) as log:
            pair = await version_beside(log.link, registry, name, version)
            if not yes:
                confirm(
                    f"Delete {pair.bucket} with all its documents?",
                    "not confirmed: nothing was deleted",
                )
            await drop_version(log, pair, target.instance)
            return pair.bucket

    click.echo(f"deleted {run(work())}")
