"""Remembering a place's theme, orders, sizes and last filter from one run to the next.

Each place has a small file of its own in the user's state directory. Only a file that we wrote is
replaced, and secrets are never in it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from natster_tui.preferences.place import Place
from natster_tui.store.files.models import StoredModel
from natster_tui.store.files.private_files import make_private_directory, write_private
from natster_tui.store.user_directories import state_directory
from natster_tui.text.masking import mask_text, screen_text

_FOLDER = "places"
_READ_AT_MOST = 65_536
_LONGEST_FILTER = 1_000
_LARGEST_SHARE = 10_000


class Remembered(StoredModel):
    """The content of one file.

    `theme` was chosen instead of `theme_of_settings`, and is used while the settings still name
    that one. `orders` has the name of each pane's order, and whether it is reversed. `shares` are
    those of `PaneSizes`.
    """

    program: Literal["natster-tui"] = "natster-tui"
    place: str = ""
    theme: str = ""
    theme_of_settings: str = ""
    orders: dict[str, tuple[str, bool]] = Field(default_factory=dict)
    shares: dict[str, Annotated[int, Field(ge=1, le=_LARGEST_SHARE)]] = Field(default_factory=dict)
    filter: str = ""


class Memory:
    """The file of one place; without a path nothing is remembered.

    `problem` is a sentence if the file cannot be used. The file is then left as it is.
    """

    def __init__(self, path: Path | None, place: str = "") -> None:
        self._path = path
        self._place = place
        self.problem = ""
        self.remembered = self._read()
        self._written = self.remembered

    @classmethod
    def of_user(cls, place: Place) -> Memory:
        """The memory of a place in the user's state directory."""
        directory = state_directory()
        if directory is None:
            return cls(None)
        name = hashlib.sha256(place.identity.encode()).hexdigest()[:16]
        return cls(directory / _FOLDER / f"{name}.json", place.name)

    @property
    def is_kept(self) -> bool:
        """Whether anything is remembered."""
        return self._path is not None and not self.problem

    def keep(self, remembered: Remembered) -> None:
        """Write what is to be remembered, if it has changed. Failures become `problem`."""
        if mask_text(remembered.filter) != remembered.filter or (
            len(remembered.filter) > _LONGEST_FILTER
        ):
            remembered = remembered.model_copy(update={"filter": ""})
        remembered = remembered.model_copy(update={"place": self._place})
        if self._path is None or self.problem or remembered == self._written:
            return
        try:
            make_private_directory(self._path.parent)
            write_private(self._path, remembered.model_dump_json(indent=1).encode())
        except OSError as error:
            self.problem = self._sentence(
                f"cannot be written ({(error.strerror or 'no reason given').lower()})"
            )
        else:
            self._written = remembered

    def _read(self) -> Remembered:
        if self._path is None:
            return Remembered()
        try:
            if self._path.is_symlink() or (self._path.exists() and not self._path.is_file()):
                self.problem = self._sentence("is not a file of ours")
                return Remembered()
            with self._path.open("rb") as file:
                return Remembered.model_validate_json(file.read(_READ_AT_MOST))
        except FileNotFoundError:
            pass
        except OSError as error:
            self.problem = self._sentence(
                f"cannot be read ({(error.strerror or 'no reason given').lower()})"
            )
        except ValidationError:
            self.problem = self._sentence("is damaged, or not ours")
        return Remembered()

    def _sentence(self, what: str) -> str:
        shown = screen_text(str(self._path), 300)
        return f"{shown} {what}: nothing is remembered until you move it away"
