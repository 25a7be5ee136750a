"""Reading the settings file: which one, and a sentence with the line for every mistake in it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from natster_tui.errors import UsageError
from natster_tui.preferences.model import Settings, model_at, takes
from natster_tui.preferences.toml_lines import Where, lines_of
from natster_tui.store.settings.files import READ_AT_MOST, expand_home, quoted, read_file
from natster_tui.store.user_directories import config_directory

FILE = "settings.toml"
VARIABLE = "NATSTER_SETTINGS"
FLAG = "--settings"
DEFAULT = "default"


@dataclass(frozen=True)
class SettingsFile:
    """The settings of a file. Without a file `path` is None, and all of them are the defaults.

    `named_by` is what named the file: `--settings`, the variable, or the default.
    """

    settings: Settings
    path: Path | None = None
    text: str = ""
    named_by: str = ""

    @cached_property
    def _lines(self) -> Mapping[Where, int]:
        return lines_of(self.text)

    def says(self, *where: str | int) -> bool:
        """Whether the file sets this setting."""
        return where in self._lines

    def line(self, where: Where) -> int:
        """The line that sets this one, or the table or list that it should be in."""
        found = (where[:steps] for steps in range(len(where), 0, -1))
        return next((self._lines[each] for each in found if each in self._lines), 1)

    def place(self, *where: str | int) -> str:
        """The file and the line that sets this one."""
        return f"{quoted(self.path)}, line {self.line(where)}"

    def mistake(self, where: Where, sentence: str) -> UsageError:
        """The error for a value that is wrong although the model accepts it."""
        return UsageError(f"{self.place(*where)}: {sentence}")


def default_path() -> Path | None:
    """The file in the user's config directory; None for a user without a home."""
    directory = config_directory()
    return None if directory is None else directory / FILE


def read_settings(named: str | None, environ: Mapping[str, str]) -> SettingsFile:
    """The settings of the file that was named, else of the default one if it is there.

    `named` is what `--settings` says. Raises UsageError with file, line and what was expected.
    """
    if named:
        return _read(expand_home(named, environ), FLAG)
    if from_variable := environ.get(VARIABLE):
        return _read(expand_home(from_variable, environ), VARIABLE)
    path = default_path()
    if path is None or not path.exists():
        return SettingsFile(Settings())
    return _read(path, DEFAULT)


def _read(path: Path, named_by: str) -> SettingsFile:
    content = read_file(path, named_by)
    if len(content) >= READ_AT_MOST:
        raise UsageError(f"{quoted(path)} is larger than 64 KiB: that is no settings file")
    try:
        # A mistake in a last line without an end would have no line of its own.
        text = content.decode("utf-8") + "\n"
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{quoted(path)}, line {line}: this is not UTF-8 text") from error
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{quoted(path)} is not valid TOML: {quoted(error)}") from error
    file = SettingsFile(Settings(), path, text, named_by)
    try:
        return replace(file, settings=Settings.model_validate(raw))
    except ValidationError as error:
        found = [_Mistake(each["loc"], each["type"]) for each in error.errors()]
        first = min(found, key=lambda each: file.line(each.where))
        raise file.mistake(first.where, first.sentence) from None


@dataclass(frozen=True, slots=True)
class _Mistake:
    """An error that pydantic found: its place, and its code."""

    where: Where
    code: str

    @property
    def sentence(self) -> str:
        model = model_at(self.where)
        last = str(self.where[-1])
        if model is not None and self.code == "extra_forbidden":
            return _unknown(".".join(map(str, self.where)), last, model.model_fields)
        # A wrong element of a list or table is a mistake in the setting that takes it.
        for length in range(len(self.where), 0, -1):
            where = self.where[:length]
            model = model_at(where)
            if model is not None and where[-1] in model.model_fields:
                name = ".".join(map(str, where))
                return f"{quoted(name)} takes {takes(model, str(where[-1]))}"
        return "a context is a table, such as [contexts.prod] with production = true"


def _unknown(shown: str, name: str, known: Iterable[str]) -> str:
    """The sentence for an unknown setting, with the most similar one that is known."""
    close = get_close_matches(name, [*known], 1, 0.5)
    hint = f", did you mean {close[0]}?" if close else ":"
    return f"there is no setting {quoted(shown)}{hint} natster-tui help settings lists them"
