"""`natster-tui config`: the settings that are in force, and where each comes from."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import click

from natster_tui.cli.options import (
    given_of,
    given_options,
    settings_of,
    takes_hubs,
    takes_json,
    takes_settings,
    target_of,
)
from natster_tui.cli.outputs.output import output_line
from natster_tui.cli.outputs.program import Config, ConfigSetting
from natster_tui.cli.shared_options import takes_target
from natster_tui.engine.server_source import EmbeddedSource
from natster_tui.events.natster import NATSTER
from natster_tui.preferences.place import Place
from natster_tui.preferences.rows import rows
from natster_tui.preferences.settings_file import SettingsFile, default_path
from natster_tui.projections.registering.registry import Registry
from natster_tui.store.settings.effective import DEFAULT, Setting, effective_settings
from natster_tui.text.masking import screen_text

_FLAG_SETTINGS = ("create_log", "log_setting", "bucket_bytes", "sealing", "projection", "read_only")
_SWITCHES = ("NATSTER_ASCII", "NO_COLOR")


@click.command()
@takes_hubs
@takes_settings
@takes_json
@takes_target
def config(hub: tuple[str, ...], as_json: bool, **_given: Any) -> None:
    """List the settings in force, with their values and sources; connects to nothing.

    Secrets are masked. Flags count as well, so a whole command line can be tried out.
    """
    context = click.get_current_context()
    given = given_options(context)
    target = target_of()
    file = settings_of()
    found: list[Setting] = []
    if isinstance(target.source, EmbeddedSource):
        found.append(Setting("server", "embedded", DEFAULT))
        found.append(_from_flag("data_dir", given, str(target.source.data_dir)))
    else:
        found += effective_settings(given_of(context).connection, os.environ)
    if target.choice.sealing.key_file is not None:
        found.append(_from_flag("key_file", given, str(target.choice.sealing.key_file)))
    found.append(_from_flag("stream", given, NATSTER.stream))
    found += [_from_flag(name, given, "") for name in _FLAG_SETTINGS if name in given]
    hubs = hub or context.find_root().params.get("hub") or ()
    found += [Setting("hub", screen_text(each, 100), "--hub") for each in hubs]
    found += _from_file(file, target.choice.projections, without=("hubs",) if hubs else ())
    found += [
        Setting(name.lower(), screen_text(value, 100), name)
        for name in _SWITCHES
        if (value := os.environ.get(name))
    ]
    if as_json:
        rows = (ConfigSetting(name=s.name, value=s.value, source=s.source) for s in found)
        click.echo(output_line(Config(settings=tuple(rows))))
        return
    names = max(len(setting.name) for setting in found)
    values = max(len(setting.value) for setting in found)
    for setting in found:
        click.echo(f"{setting.name:<{names}}  {setting.value:<{values}}  {setting.source}")


def _from_file(
    file: SettingsFile, projections: Registry, without: Collection[str]
) -> Iterator[Setting]:
    """The settings of the file, each with its line, after the file itself."""
    if file.path is not None:
        # Imported here: themes and keys belong to the dashboard, which is slow to load.
        from natster_tui.tui.preferences import check_preferences

        check_preferences(file, Place(), [*projections])
    path = file.path or default_path()
    if path is not None:
        named_by = file.named_by if file.path else "there is no such file"
        yield Setting("settings", screen_text(str(path), 300), named_by)
    for row in rows(file.settings):
        if row.where[0] not in without:
            source = file.place(*row.where) if file.says(*row.where) else DEFAULT
            yield Setting(row.name, screen_text(row.value, 300), source)


def _from_flag(name: str, given: Mapping[str, Any], otherwise: str) -> Setting:
    """A setting that only a flag can give; `otherwise` is its value without the flag."""
    if name not in given:
        return Setting(name, screen_text(otherwise, 300), DEFAULT)
    value = given[name]
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return Setting(name, screen_text(text, 300), f"--{name.replace('_', '-')}")
