"""The filters that are kept from one run to the next: named ones, and recent ones.

They are in one small file, which several dashboards may write, so each change reads it again first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import Field, ValidationError

from natster_tui.errors import RefusedError
from natster_tui.store.files.models import StoredModel
from natster_tui.store.files.private_files import make_private_directory, write_private
from natster_tui.store.user_directories import config_directory
from natster_tui.text.safe_text import safe_text

RECENT = 50
"""How many recent filters are kept."""
_NAME = "filters.json"
_READ_AT_MOST = 1 << 20


class FiltersFile(StoredModel):
    """The content of the file: filters by name, and recent filters, newest first."""

    named: dict[str, str] = Field(default_factory=dict)
    recent: list[str] = Field(default_factory=list)


class KeptFilters:
    """The filters in the file at `path`; without a path they are kept for this run only."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept = self._read() or FiltersFile()

    @classmethod
    def of_user(cls) -> KeptFilters:
        """Those in the user's config directory."""
        directory = config_directory()
        return cls(None if directory is None else directory / _NAME)

    @property
    def named(self) -> dict[str, str]:
        """Filters by name."""
        return self._kept.named

    @property
    def recent(self) -> list[str]:
        """The filters used last, newest first."""
        return self._kept.recent

    def use(self, text: str) -> None:
        """Remember that a filter was used. Raises RefusedError if that cannot be written."""

        def used(kept: FiltersFile) -> FiltersFile:
            recent = [text, *(each for each in kept.recent if each != text)][:RECENT]
            return FiltersFile(named=kept.named, recent=recent)

        if self.recent[:1] != [text]:
            self._change(used)

    def name(self, name: str, text: str) -> None:
        """Keep a filter under a name, replacing another one with that name; see `use`."""
        self._change(lambda kept: FiltersFile(named=kept.named | {name: text}, recent=kept.recent))

    def forget(self, name: str) -> None:
        """Forget the filter of a name; see `use`."""
        self._change(
            lambda kept: FiltersFile(
                named={one: text for one, text in kept.named.items() if one != name},
                recent=kept.recent,
            )
        )

    def _change(self, change: Callable[[FiltersFile], FiltersFile]) -> None:
        self._kept = change(self._kept)
        if self._path is None:
            return
        there = self._read()
        if there is None:
            raise RefusedError(
                f"{safe_text(str(self._path))} cannot be read, so it is left as it is: filters "
                "are kept until you quit"
            )
        self._kept = change(there)
        try:
            make_private_directory(self._path.parent)
            write_private(self._path, self._kept.model_dump_json(indent=1).encode())
        except OSError as error:
            raise RefusedError(
                f"{safe_text(str(self._path))} cannot be written "
                f"({(error.strerror or 'no reason given').lower()}): filters are kept until you "
                "quit"
            ) from error

    def _read(self) -> FiltersFile | None:
        """The file's content; empty if there is no file, None if it cannot be read."""
        if self._path is None:
            return FiltersFile()
        try:
            with self._path.open("rb") as file:
                return FiltersFile.model_validate_json(file.read(_READ_AT_MOST))
        except FileNotFoundError:
            return FiltersFile()
        except (OSError, ValidationError):
            return None
