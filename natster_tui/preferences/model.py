"""The settings that a file can hold. The table in the documentation is made from this model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FASTEST = 20
"""The most refreshes of the screen per second."""


@dataclass(frozen=True, slots=True)
class Takes:
    """What a setting takes, in words: `refresh_per_second takes a number from 1 to 20`."""

    words: str


_TRUE_OR_FALSE = Takes("true or false")


class _Part(BaseModel):
    """A table of the file, with strict types and no unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class ContextSettings(_Part):
    """How one context, server or the embedded server is shown and guarded."""

    production: Annotated[bool, _TRUE_OR_FALSE] = Field(
        default=False,
        description="The first line says so, and publish, rebuild, promote and drop ask for the "
        "context's name first.",
    )
    color: Annotated[str, Takes("a colour, such as red or #b3203a")] = Field(
        default="",
        description="The colour of the first line; red for production if not given.",
    )
    warning: Annotated[str, Takes("a few words")] = Field(
        default="",
        description="A text in the first line; PRODUCTION for production if not given.",
    )


class Settings(_Part):
    """All settings. None of them is needed."""

    theme: Annotated[str, Takes("the name of a theme, such as natster-light or nord")] = Field(
        default="",
        description="The theme, unless another was chosen for the context before.",
    )
    ascii: Annotated[bool, _TRUE_OR_FALSE] = Field(
        default=False,
        description="Draw with ASCII characters only, as `--ascii` does.",
    )
    mouse: Annotated[bool, _TRUE_OR_FALSE] = Field(
        default=True,
        description="Whether the mouse works; without it the terminal selects text itself.",
    )
    time: Annotated[Literal["local", "utc"], Takes('"local" or "utc"')] = Field(
        default="local",
        description="The time zone of the times on screen, and of those that you type.",
    )
    refresh_per_second: Annotated[
        float, Field(ge=1, le=FASTEST), Takes(f"a number from 1 to {FASTEST}")
    ] = Field(
        default=float(FASTEST),
        description="How often the screen is refreshed while events arrive.",
    )
    confirm: Annotated[
        list[Literal["quit", "publish", "rebuild"]],
        Takes('a list of "quit", "publish" and "rebuild"'),
    ] = Field(default=[], description="The actions that ask for confirmation.")
    hubs: Annotated[list[str], Takes('a list of accounts, such as ["Natster Hub"]')] = Field(
        default=[], description="The hubs, by key or name, as `--hub` names them."
    )
    columns: Annotated[
        dict[str, list[str]], Takes('lines such as account = ["account", "out", "in"]')
    ] = Field(
        default={},
        description="The columns of a projection's pane, by heading; see below.",
    )
    keymap: Annotated[
        dict[str, dict[str, str | list[str]]],
        Takes('lines such as app.help = "f9" or app.quit = ["q", "ctrl+q"]'),
    ] = Field(default={}, description="Other keys for commands, by the command's id.")
    contexts: Annotated[
        dict[str, ContextSettings], Takes("a table for each context, such as [contexts.prod]")
    ] = Field(default={}, description="How contexts are shown and guarded; see below.")


def model_at(where: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model of the table that holds the setting at `where`; None if it takes any keys."""
    model: type[BaseModel] | None = Settings
    for step in where[:-1]:
        if model is Settings and step == "contexts":
            # The next step is the name of a context.
            model = None
        elif model is None and where[0] == "contexts":
            model = ContextSettings
        else:
            return None
    return model


def takes(model: type[BaseModel], name: str) -> str:
    """What a setting of a table takes."""
    return next(each.words for each in model.model_fields[name].metadata if isinstance(each, Takes))


def default_shown(model: type[BaseModel], name: str) -> str:
    """A setting's default as a file would have it; empty for an empty text, list or table."""
    value: Any = model.model_fields[name].default
    if value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"
