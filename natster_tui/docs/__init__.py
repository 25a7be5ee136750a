"""The documentation: Markdown pages, one subject each, that `natster-tui help` and `?` show."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

NAMES = (
    "dashboard",
    "settings",
    "commands",
    "connections",
    "log",
    "projections",
    "writing",
    "committing",
    "rebuilding",
    "sealing",
    "permissions",
    "cluster",
    "faults",
    "performance",
)
"""The topics, in the order in which they are listed. Each is a file `NAME.md` in this folder."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A page. Its first line is the title, and the paragraph behind it says what is in it."""

    name: str
    text: str

    @property
    def title(self) -> str:
        """What the page is called."""
        return self.text.splitlines()[0].removeprefix("# ")

    @property
    def summary(self) -> str:
        """What is in it, in one line."""
        return self.text.splitlines()[2]


def topic(name: str) -> Topic:
    """A topic by its name; raises KeyError."""
    if name not in NAMES:
        raise KeyError(name)
    return Topic(name, files(__name__).joinpath(f"{name}.md").read_text("utf-8"))


def topics() -> list[Topic]:
    """All topics."""
    return [topic(name) for name in NAMES]
