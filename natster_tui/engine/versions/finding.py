"""Finding the versions that are stored beside a projection, and the one that is meant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from natster_tui.errors import DeniedError, NotFoundError, UsageError
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.registry import Registry
from natster_tui.projections.versions.naming import (
    bucket_beside,
    placed_beside,
    versions_among,
)
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.together import together
from natster_tui.store.provisioning.version_buckets import bucket_names, is_beside


@dataclass(frozen=True)
class VersionPair:
    """A projection, and one version of it that is stored beside it, or will be.

    `loaded` are the versions whose rules are loaded here, the one in use first.
    """

    loaded: tuple[Projection[Any], ...]
    version: int

    @property
    def current(self) -> Projection[Any]:
        """The projection in use here, in the stored bucket."""
        return self.loaded[0]

    @property
    def name(self) -> str:
        """The name that users type."""
        return self.current.name

    @property
    def bucket(self) -> str:
        """The bucket of the version beside."""
        return bucket_beside(self.current.bucket, self.version)

    def rule_of(self, version: int) -> Projection[Any] | None:
        """The rule of a version, None if it is not loaded here."""
        return next((each for each in self.loaded if each.version == version), None)

    @property
    def rule(self) -> Projection[Any]:
        """The rule of the version beside. Raises UsageError if it is not loaded here."""
        rule = self.rule_of(self.version)
        if rule is None:
            raise UsageError(
                f"version {self.version} of {self.name} is not loaded here: name its file with "
                "--projection"
            )
        return rule

    @cached_property
    def beside(self) -> Projection[Any]:
        """The version beside, as a projection with its own bucket.

        It has another version's rule if its own is not loaded here.
        """
        return placed_beside(self.rule_of(self.version) or self.current, self.version)


def newest_loaded(registry: Registry, name: str) -> VersionPair:
    """The version to store beside: the last one named, if several are loaded.

    Raises KeyError if there is no projection of that name.
    """
    loaded = registry.versions_of(name)
    return VersionPair(loaded, loaded[-1].version)


async def version_beside(
    link: Link, registry: Registry, name: str, version: int | None
) -> VersionPair:
    """The version beside that is meant: the one asked for, a second one loaded, or the only one.

    Raises NotFoundError if it is not stored beside, UsageError if it could be one of several,
    KeyError if there is no projection of that name.
    """
    loaded = registry.versions_of(name)
    if version is None and len(loaded) > 1:
        version = loaded[-1].version
    stored = await versions_stored(link, loaded)
    if version is None and len(stored) > 1:
        numbers = ", ".join(map(str, stored))
        raise UsageError(f"versions {numbers} of {name} are stored beside it: give --version")
    if version is None and stored:
        version = stored[0]
    if version is None or version not in stored:
        which = "no version" if version is None else f"no version {version}"
        raise NotFoundError(
            f"{which} of {name} is stored beside {loaded[0].bucket}: "
            f"natster-tui project {name} --beside begins one"
        )
    return VersionPair(loaded, version)


async def versions_stored(link: Link, loaded: Sequence[Projection[Any]]) -> tuple[int, ...]:
    """The versions of one projection that are stored beside it, in ascending order.

    If we may not list the buckets, only versions that are `loaded` here are found. Raises
    DeniedError if we may not read one of them.
    """
    names = await bucket_names(link)
    return await _marked(link, loaded[0].bucket, _possible(names, loaded), is_beside)


async def all_versions_stored(
    link: Link, groups: Sequence[Sequence[Projection[Any]]]
) -> tuple[tuple[int, ...], ...]:
    """The same for several projections, without the buckets that we may not read.

    Each group is the loaded versions of one projection.
    """
    names = await bucket_names(link)
    return await together(
        *(
            _marked(link, loaded[0].bucket, _possible(names, loaded), _is_readable_beside)
            for loaded in groups
        )
    )


def _possible(names: Sequence[str] | None, loaded: Sequence[Projection[Any]]) -> tuple[int, ...]:
    """The versions that may be stored beside, by the names of all buckets if they are known."""
    if names is None:
        return tuple(sorted(each.version for each in loaded))
    return versions_among(names, loaded[0].bucket)


async def _marked(
    link: Link,
    bucket: str,
    versions: Sequence[int],
    is_marked: Callable[[Link, str, str], Awaitable[bool]],
) -> tuple[int, ...]:
    marked = await together(
        *(is_marked(link, bucket_beside(bucket, version), bucket) for version in versions)
    )
    return tuple(version for version, ours in zip(versions, marked, strict=True) if ours)


async def _is_readable_beside(link: Link, bucket: str, stored: str) -> bool:
    try:
        return await is_beside(link, bucket, stored)
    except DeniedError:
        return False
