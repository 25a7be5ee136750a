"""Turning the shared options into a server, a log on it, and what may be written."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from natster_tui.cli.given_options import GivenOptions
from natster_tui.cli.messages import say
from natster_tui.engine.rule_alarm import watch_rules
from natster_tui.engine.server_source import (
    EmbeddedSource,
    LogChoice,
    NamedServer,
    ServerSource,
    new_instance,
)
from natster_tui.errors import UsageError
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.loading import load_registry
from natster_tui.projections.registering.registry import Registry
from natster_tui.store.connection.opening.tls import check_transport
from natster_tui.store.embedded.data_directory import joined_demo
from natster_tui.store.embedded.server import default_data_dir
from natster_tui.store.log_config import LogSettings
from natster_tui.store.sealing.choice import SealingChoice
from natster_tui.store.sealing.key_file import default_key_file
from natster_tui.store.settings.files import expand_home
from natster_tui.store.settings.options import ConnectionFlags
from natster_tui.store.settings.resolve import resolve_connection
from natster_tui.store.user_directories import config_directory, data_directory
from natster_tui.text.byte_sizes import MIB, TIB, parse_byte_size
from natster_tui.text.masking import screen_text

_MOST_BYTES = 1024 * TIB


@dataclass(frozen=True)
class Target:
    """The server and the log that the shared options name."""

    source: ServerSource
    choice: LogChoice
    instance: str


def resolve_target(
    given: GivenOptions, connection_name: str, *, takes_versions: bool = False
) -> Target:
    """The server and log that the options name.

    `connection_name` is what the server's operators see. `takes_versions` allows another version
    of a projection that is in use. Raises UsageError.
    """
    given = _with_keys_of_demo(given)
    source = _source(given, connection_name)
    choice = LogChoice(
        replace(NATSTER, stream=_stream_name(given.stream)),
        create=given.create_log,
        read_only=given.read_only,
        bucket_bytes=_bucket_bytes(given.bucket_bytes),
        settings=_log_settings(given.log_setting),
        sealing=_sealing_choice(given),
        projections=projections_from(given.projection, takes_versions=takes_versions),
    )
    if choice.create and choice.read_only:
        raise UsageError("--create-log and --read-only exclude each other: give one")
    wanted = choice.sealing.wanted
    if choice.sealing.key_file is None and (wanted or (choice.create and wanted is None)):
        # Without keys the log would be created unsealed, which was not asked for.
        default_key_file()
    return Target(source, choice, new_instance())


def _with_keys_of_demo(given: GivenOptions) -> GivenOptions:
    """The options; if `--data-dir` names a running demo, with its data directory and key file."""
    if given.data_dir is None or given.key_file is not None:
        return given
    joined = joined_demo(expand_home(given.data_dir))
    if joined is None:
        return given
    data_dir, key_file = joined
    return given.model_copy(update={"data_dir": str(data_dir), "key_file": str(key_file)})


def keep_apart(what: str, file: Path, data_dir: Path) -> None:
    """Raise UsageError if a key file is in the data directory that its keys decrypt."""
    # Not `resolve`, which fails on a link to itself. Opening the file reports that.
    if Path(os.path.realpath(file)).is_relative_to(os.path.realpath(data_dir)):
        raise UsageError(
            f"{what} is in the embedded server's data directory, where a copy of the data "
            "would contain the keys as well: name another place"
        )


def _source(given: GivenOptions, name: str) -> ServerSource:
    flags = given.connection
    settings = (
        None
        if given.data_dir is not None and flags == ConnectionFlags()
        else resolve_connection(flags, os.environ)
    )
    if settings is not None:
        if given.data_dir is not None:
            raise UsageError("--data-dir is for the embedded server: leave it or the server out")
        # Before the dashboard opens, which would try to connect again and again.
        check_transport(settings)
        return NamedServer(settings, name=name)
    data_dir = default_data_dir() if given.data_dir is None else expand_home(given.data_dir)
    key_file = default_key_file() if given.key_file is None else expand_home(given.key_file)
    return EmbeddedSource(data_dir, key_file, read_only=given.read_only, name=name)


def _sealing_choice(given: GivenOptions) -> SealingChoice:
    """The options about sealing. Without a home directory there may be no key file."""
    wanted, file = given.sealing, key_file_from(given)
    data_dir = data_directory() if given.data_dir is None else expand_home(given.data_dir)
    if file is not None and data_dir is not None:
        keep_apart("the key file", file, data_dir)
    is_named = given.key_file is not None
    return SealingChoice(None if wanted is None else wanted == "on", file, is_named)


def key_file_from(given: GivenOptions) -> Path | None:
    """The key file that was named, else the default one; None without a home directory."""
    if given.key_file is not None:
        return expand_home(given.key_file)
    return None if config_directory() is None else default_key_file()


def _stream_name(name: str) -> str:
    if not name or any(char in ".*> \t\r\n\0/\\" or not char.isprintable() for char in name):
        raise UsageError("--stream is not a stream name: no dots, wildcards, blanks or slashes")
    if name.startswith("KV_"):
        raise UsageError(
            f"--stream {screen_text(name, 80)} is the stream of a bucket, not of a log"
        )
    return name


def projections_from(files: tuple[str, ...], *, takes_versions: bool = False) -> Registry:
    """The built-in projections, those of packages, and those of files. Raises UsageError."""
    paths = [expand_home(file) for file in files]
    registry, problems = load_registry(paths, takes_versions=takes_versions)
    for problem in problems:
        say(problem)
    watch_rules((*registry, *registry.versions))
    return registry


def _bucket_bytes(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        size = parse_byte_size(text)
    except ValueError as error:
        raise UsageError(f"--bucket-bytes {screen_text(text, 40)}: {error}") from error
    if not MIB <= size <= _MOST_BYTES:
        raise UsageError("--bucket-bytes takes a size from 1MiB to 1024TiB")
    return size


def _log_settings(pairs: tuple[str, ...]) -> LogSettings:
    known = LogSettings.model_fields.keys() - {"sealing"}
    given: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in known:
            raise UsageError(
                f"--log-setting takes NAME=VALUE with one of {', '.join(sorted(known))}"
            )
        given[name] = _setting_value(name, text)
    try:
        return LogSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0])
        wanted = _SIZE if name == _SIZED else _WANTED.get(first["type"], "a whole number")
        raise UsageError(f"--log-setting {name} takes {wanted}") from error


_WANTED = {"literal_error": "new or old", "bool_type": "true or false"}
"""What a setting takes, by the type of pydantic's error."""
_SIZED, _SIZE = "max_bytes", "a size such as 256MiB, or -1 for no limit"


def _setting_value(name: str, text: str) -> object:
    """A value as JSON has it: `true`, `60`, or a size such as `256MiB`; else it is a text."""
    if name == _SIZED:
        with suppress(ValueError):
            return parse_byte_size(text)
    try:
        return from_json(text)
    except ValueError:
        return text
