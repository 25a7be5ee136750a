"""A server's information about itself, and about the account of a connection."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from natster_tui.store.connection.answers.reading import LARGEST_INT64, Answer, Count, Limit, Part

LARGEST_PAYLOAD = 2**31 - 1
"""The server keeps `max_payload` in 32 bits."""

ATOMIC_BATCHES_SINCE = (2, 12, 0)

Storage = Annotated[int, Field(ge=-1, le=LARGEST_INT64)]


class AccountLimits(Part):
    """The limits of an account or one of its tiers.

    For storage, -1 means no limit and 0 means none.
    """

    max_memory: Storage = -1
    max_storage: Storage = -1
    storage_max_stream_bytes: Limit = 0
    max_bytes_required: bool = False


class AccountTier(Part):
    """The usage and the limits of an account or one of its tiers."""

    memory: Count = 0
    storage: Count = 0
    reserved_storage: Count = 0
    streams: Count = 0
    consumers: Count = 0
    limits: AccountLimits = AccountLimits()


class AccountInfoAnswer(AccountTier, Answer):
    """The answer to INFO: the account of this connection."""

    domain: str = ""
    tiers: dict[str, AccountTier] | None = None


class ServerInfo(Part):
    """A server's information about itself when a connection begins."""

    server_id: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(pattern=r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}([-+.].{0,200})?$")]
    max_payload: Annotated[int, Field(ge=1, le=LARGEST_PAYLOAD)]
    cluster: str = ""
    domain: str = ""
    headers: bool = False
    jetstream: bool = False
    nonce: str = ""
    tls_required: bool = False
    tls_available: bool = False
    tls_verify: bool = False
    connect_urls: tuple[str, ...] | None = None
    ws_connect_urls: tuple[str, ...] | None = None

    @property
    def has_atomic_batches(self) -> bool:
        """Whether it can store several messages as one, which projecting needs."""
        return self.version_numbers >= ATOMIC_BATCHES_SINCE

    @property
    def version_described(self) -> str:
        """Major, minor and patch of the version, to show."""
        return ".".join(map(str, self.version_numbers))

    @property
    def version_numbers(self) -> tuple[int, int, int]:
        """Major, minor and patch of the version."""
        major, minor, patch = re.split("[^0-9]", self.version, maxsplit=3)[:3]
        return int(major), int(minor), int(patch)
