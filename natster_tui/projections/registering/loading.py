"""Loading projections that are not built in: from installed packages, and from files.

Their code runs because the user installed the package or named the file. A package declares an
entry point in the group `natster_tui.projections`; it and a file hold instances of `Projection`, or
classes that need no arguments.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isabstract
from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

from natster_tui.errors import ProjectionRefusedError
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.declaration import declaration_problem
from natster_tui.projections.registering.raised import described_error
from natster_tui.projections.registering.registry import BUILT_IN, Registry
from natster_tui.text.safe_text import safe_text

GROUP = "natster_tui.projections"


def load_registry(
    files: Sequence[Path], *, takes_versions: bool = False
) -> tuple[Registry, list[str]]:
    """The built-in projections, those of installed packages, and those of files, in this order.

    With `takes_versions`, a file may have another version of a registered projection. A package
    that does not load is left out, and a sentence about it is returned. Raises
    ProjectionRefusedError for a file that does not load.
    """
    registry, problems = BUILT_IN, list[str]()
    for entry_point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        try:
            for projection in load_entry_point(entry_point):
                registry = registry.adding(projection, _described(entry_point))
        except ProjectionRefusedError as error:
            problems.append(error.sentence)
    for file in files:
        for projection in load_file(file):
            registry = registry.adding(projection, str(file), takes_versions=takes_versions)
    return registry, problems


def load_file(file: Path, shown: str = "") -> list[Projection[Any]]:
    """The projections that a Python file defines.

    Raises ProjectionRefusedError; its sentence calls the file `shown`, or by its path.
    """
    shown = safe_text(shown or str(file), 200)
    if not file.is_file():
        raise ProjectionRefusedError(f"there is no file {shown}")
    # Two versions may be in files of the same name, in different directories.
    number = crc32(os.fsencode(file.absolute()))
    spec = spec_from_file_location(f"natster_tui_projection_{file.stem}_{number:08x}", file)
    if spec is None or spec.loader is None:
        raise ProjectionRefusedError(f"{shown} is no Python file")
    module = module_from_spec(spec)
    vars(module)["print"] = _print_aside
    # Pydantic looks a model's annotations up in its module.
    sys.modules[module.__name__] = module
    written = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # A file that ends the program ends only its own loading.
        raise ProjectionRefusedError(_why_not(file, shown, error)) from error
    finally:
        sys.dont_write_bytecode = written
    return _projections_in(shown, _defined_in(module))


def _print_aside(*values: Any, file: Any = None, **options: Any) -> None:
    """Send a file's prints to stderr, because the program's own output may be JSON."""
    print(*values, file=file or sys.stderr, **options)


def saved_at(file: Path) -> tuple[int, int] | None:
    """A value that differs after each save of a file; None while it cannot be read."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def load_entry_point(entry_point: EntryPoint) -> list[Projection[Any]]:
    """The projections behind an entry point. Raises ProjectionRefusedError."""
    try:
        loaded = entry_point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ProjectionRefusedError(
            f"{_described(entry_point)} does not load: {described_error(error)}"
        ) from error
    found = _defined_in(loaded) if isinstance(loaded, ModuleType) else [loaded]
    return _projections_in(_described(entry_point), found)


def _projections_in(origin: str, found: Iterable[Any]) -> list[Projection[Any]]:
    """The instances among objects; if there is none, one of each class that needs no arguments."""
    objects = list(found)
    projections = [each for each in objects if isinstance(each, Projection)]
    if not projections:
        classes = [each for each in objects if isinstance(each, type)]
        for each in classes:
            if issubclass(each, Projection) and not isabstract(each):
                try:
                    projections.append(each())
                except KeyboardInterrupt:
                    raise
                except BaseException as error:
                    raise ProjectionRefusedError(
                        f"{origin}: {each.__name__} cannot be made: {described_error(error)}"
                    ) from error
    if not projections:
        raise ProjectionRefusedError(
            f"{safe_text(origin, 200)} defines no projection: derive a class from KeyedProjection, "
            "with a rule"
        )
    for projection in projections:
        if problem := _problem(projection):
            raise ProjectionRefusedError(f"{safe_text(origin, 200)}: {problem}")
    return projections


def _problem(projection: Projection[Any]) -> str:
    try:
        return declaration_problem(projection)
    except Exception as error:  # a property of the projection raised it
        return f"its declaration cannot be read: {described_error(error)}"


def _defined_in(module: ModuleType) -> list[Any]:
    """The objects that a module defines, without those it imports."""
    own = module.__name__
    return [
        each
        for each in vars(module).values()
        if (each if isinstance(each, type) else type(each)).__module__ == own
    ]


def _described(entry_point: EntryPoint) -> str:
    package = entry_point.dist.name if entry_point.dist is not None else "a package"
    return f"the projection {entry_point.name} of {package}"


def _why_not(file: Path, shown: str, error: BaseException) -> str:
    """The sentence for a file that does not load, with the line of the error."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == str(file):
            line = frame.lineno
    where = "" if line is None else f", line {line}"
    return f"{shown}{where} does not load: {described_error(error)}"
