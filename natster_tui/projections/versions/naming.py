"""The names of versions that are stored beside the stored one.

Version 2 of the projection `activity`, stored in `PROJ_ACTIVITY`, is called `activity.v2` and is
stored in `PROJ_ACTIVITY_v2`. So its leases are `projector.activity.v2` and `rebuild.activity.v2`.
No other projection can have these names: a registered name has no dot, and no registered bucket
ends in `_v` and digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy
from typing import Any

from natster_tui.projections.api import Projection

_NUMBER = re.compile(r"[1-9][0-9]{0,9}")


def placed_beside(projection: Projection[Any], version: int | None = None) -> Projection[Any]:
    """The projection with the name and the bucket of a version beside.

    `version` is another version than the projection's own, to name the place where it is stored.
    """
    number = projection.version if version is None else version
    placed = copy(projection)
    placed.name = f"{projection.name}.v{number}"
    placed.bucket = bucket_beside(projection.bucket, number)
    placed.beside = projection.bucket
    return placed


def name_in_use(projection: Projection[Any]) -> str:
    """The name of the projection in use that this one is a version of, or is itself."""
    return projection.name.partition(".")[0]


def bucket_beside(bucket: str, version: int) -> str:
    """The bucket of a version that is stored beside `bucket`."""
    return f"{bucket}_v{version}"


def versions_among(names: Iterable[str], bucket: str) -> tuple[int, ...]:
    """The versions that buckets of these names would be, beside `bucket`; in ascending order."""
    prefix = f"{bucket}_v"
    numbers = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    return tuple(sorted(int(number) for number in numbers if _NUMBER.fullmatch(number)))
