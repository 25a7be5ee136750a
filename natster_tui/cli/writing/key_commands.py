"""The `keys` commands: list, rotate, erase and back up the keys of a sealed log."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli import completion
from natster_tui.cli.line_format import (
    NamesAndKeys,
    WholeKeys,
    for_output,
    takes_keys,
    time_and_age,
)
from natster_tui.cli.messages import say
from natster_tui.cli.options import takes_json, target_of, writable_target
from natster_tui.cli.outputs.keys import Erased, KeyList, Rotated
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.prompts import confirm_by_typing
from natster_tui.cli.reading.table import cell_count, padded
from natster_tui.cli.running import run
from natster_tui.cli.shared_options import takes_target
from natster_tui.cli.target import keep_apart
from natster_tui.engine.account_names import account_names, resolve_account
from natster_tui.engine.erasure import Affected, affected_by_erasing, erase_account, keyring_of
from natster_tui.engine.server_source import EmbeddedSource, opened_log, with_log
from natster_tui.errors import NatsterError, NotFoundError, RefusedError, UsageError
from natster_tui.projections.projection_sentences import Naming
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.sealing.key_rotation import Rotation
from natster_tui.store.sealing.key_rotation import rotate as rotate_keys
from natster_tui.store.settings.files import expand_home
from natster_tui.text.counting import counted_is, counted_was
from natster_tui.text.masking import screen_text

_READ_ONLY = "the keys are not touched"


@click.group(invoke_without_command=True)
def keys() -> None:
    """The keys that events and documents are sealed with."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@keys.command("list", short_help="List the data keys, and whether they can be used.")
@takes_keys
@takes_json
@takes_target
def list_keys(whole_keys: bool, as_json: bool, **_given: Any) -> None:
    """List the data keys by account, and whether they can be used; exits 1 if one cannot."""
    target = target_of()

    async def read(log: EventLog) -> tuple[KeyList, Naming]:
        report = KeyList.of(keyring_of(log))
        if as_json or whole_keys:
            return report, WholeKeys()
        try:
            return report, NamesAndKeys(await account_names(log, target.instance))
        except NatsterError as error:
            # The keys can be listed without the names.
            say(f"accounts are shown by key: {error.sentence}")
            return report, WholeKeys()

    report, called = run(with_log(target.source, target.choice, read))
    if as_json:
        click.echo(output_line(report))
    else:
        _print_report(report, called)
    if not report.is_well:
        click.get_current_context().exit(1)


def _print_report(report: KeyList, called: Naming) -> None:
    _say(f"keyring     {report.keyring}, key file {report.key_file}")
    _say(f"wraps now   {report.wraps_now}")
    if len(report.in_key_file) > 1:
        _say("            ! a rotation was interrupted: keys rotate finishes it")
    accounts = [key.account for key in report.keys] + [each.account for each in report.erased]
    width = max((cell_count(called.of(account)) for account in accounts), default=0)
    for key in report.keys:
        _say(f"{padded(called.of(key.account), width)}  {key.key}  {key.state}")
        if key.state != "usable":
            _say(f"            ! {key.reason}")
    for erased in report.erased:
        when = time_and_age(erased.at)
        _say(
            f"{padded(called.of(erased.account), width)}  erased {when} ({', '.join(erased.keys)})"
        )
        if erased.reason:
            _say(f"            ! {erased.reason}")
    for problem in report.problems:
        _say(f"            ! {problem}")


def _say(line: str) -> None:
    """Print a line, made safe: ids come from a bucket that other programs may write to."""
    click.echo(for_output(screen_text(line)))


@keys.command(short_help="Wrap all keys with a new one.")
@takes_json
@takes_target
def rotate(as_json: bool, **_given: Any) -> None:
    """Replace the key-encryption key with a new one; the log is not touched."""
    target = writable_target(_READ_ONLY)

    async def work() -> Rotation:
        async with opened_log(target.source, target.choice) as log:
            return await rotate_keys(keyring_of(log))

    done = run(work())
    if as_json:
        click.echo(output_line(Rotated.of(done)))
        return
    click.echo(
        f"rotated: {counted_is(done.rewrapped, 'key')} wrapped with {done.new} now; removed "
        f"{', '.join(done.removed)} from the key file; copies of the old file are useless now"
    )
    if done.failed:
        left = counted_was(done.failed, "key")
        click.echo(f"{left} left as before, and could not be unwrapped: see keys list")


@keys.command(short_help="Destroy the keys of an account for good.")
@click.argument("account", shell_complete=completion.accounts)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; needs --yes.")
@takes_target
def erase(account: str, yes: bool, as_json: bool, **_given: Any) -> None:
    """Destroy the keys of an ACCOUNT: its payloads in the log can never be read again."""
    target = writable_target(_READ_ONLY)
    if as_json and not yes:
        raise UsageError("--json asks nothing: add --yes")

    async def work() -> Erased:
        async with opened_log(target.source, target.choice) as log:
            key = await _account_key(log, account, target.instance)
            if yes and key != account:
                raise UsageError(
                    f"{screen_text(account, 60)} is {key}: give the whole key together with --yes"
                )
            affected = await affected_by_erasing(log, key, target.instance)
            if not affected.sealed_keys and key not in keyring_of(log).tombstones:
                raise NotFoundError(f"{screen_text(key, 100)} has no data key: nothing to erase")
            if not yes:
                _confirm_erasing(key, affected)
            destroyed, verdicts = await erase_account(
                log, key, target.choice.projections.all, target.instance
            )
            return Erased.of(key, destroyed, verdicts)

    done = run(work())
    if as_json:
        click.echo(output_line(done))
    else:
        click.echo(f"erased: {', '.join(done.destroyed)} of {screen_text(done.account, 100)}")
        for sentence in done.rebuilt.values():
            click.echo(f"rebuilt: {sentence}")
    if not done.verified:
        click.get_current_context().exit(1)


def _confirm_erasing(key: str, affected: Affected) -> None:
    """Show what erasing would touch, and ask; raises RefusedError without the answer."""
    click.echo(f"account: {screen_text(key, 100)}")
    for line in affected.lines():
        click.echo(line)
    confirm_by_typing(key, "type the account's key to erase it")


async def _account_key(log: EventLog, text: str, instance: str) -> str:
    """The key of the account with this name or beginning of a key; else the text itself."""
    if text in keyring_of(log).tombstones:
        return text
    return await resolve_account(log, text, instance) or text


@keys.command(short_help="Copy the key file.")
@click.argument("file", shell_complete=completion.files)
@takes_target
def backup(file: str, **_given: Any) -> None:
    """Copy the key file to FILE, which must not exist yet."""
    target = target_of()
    path = target.choice.sealing.key_file
    if path is None:
        raise RefusedError("there is no key file here: name one with --key-file")
    copy = expand_home(file)
    if isinstance(target.source, EmbeddedSource) and target.source.data_dir is not None:
        keep_apart("the copy", copy, target.source.data_dir)
    key_file = KeyFile(path)
    if not key_file.exists():
        raise RefusedError(
            f"there is no key file {key_file}: name it with --key-file, or put it back from a "
            "backup"
        )
    key_file.back_up(copy)
    click.echo(
        f"copied {key_file} to {screen_text(file)}: "
        "keep it away from the data, and off this machine"
    )
