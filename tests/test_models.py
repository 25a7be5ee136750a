"""Every pydantic model of the package: no error quotes what was refused."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

import natster_tui

SECRET = "hush-hush"

Check = Callable[[object], object]


def validators() -> Iterator[tuple[str, Check]]:
    """Everything that can refuse a value, by its full name."""
    for module in pkgutil.walk_packages(natster_tui.__path__, "natster_tui."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, SchemaValidator | TypeAdapter):
                yield f"{module.name}.{name}", value.validate_python
    for model in models(BaseModel):
        if model.__module__.startswith("natster_tui."):
            yield f"{model.__module__}.{model.__qualname__}", model.model_validate


def models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        # What comes of filling in a generic model's parameter has the generic model's settings.
        if not model.__pydantic_generic_metadata__["origin"]:
            yield model
        yield from models(model)


def refusals(check: Check, fields: set[str]) -> Iterator[str]:
    for given in (SECRET, [SECRET], {field: [SECRET] for field in fields}):
        try:
            check(given)
        except ValidationError as error:
            yield str(error)


def test_what_a_model_refuses_is_not_in_its_error() -> None:
    found = dict(validators())
    fields = {field for model in models(BaseModel) for field in model.model_fields}
    assert len(found) > 60
    said = {name: " ".join(refusals(check, fields)) for name, check in found.items()}
    assert [name for name, text in said.items() if SECRET in text] == []
    assert sum(bool(text) for text in said.values()) > 60
