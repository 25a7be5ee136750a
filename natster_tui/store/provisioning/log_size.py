"""The size of a log that is about to be created, where the user named none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from natster_tui.projections.api import Projection
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import notice
from natster_tui.store.connection.together import together
from natster_tui.store.provisioning.account import room_for
from natster_tui.store.provisioning.maker import buckets_needed, missing_of
from natster_tui.store.provisioning.refusals import LOG_FLAG, no_room_for_log
from natster_tui.store.provisioning.sizes import WANTED_LOG, NoRoomForLogError, plan_log
from natster_tui.text.byte_sizes import described_bytes


async def choose_log_size(
    link: Link,
    stream: str,
    *,
    replicas: int,
    sealed: bool,
    projections: Iterable[Projection[Any]],
    bucket_bytes: int | None,
) -> int:
    """The max_bytes of a new log: less than 1 GiB where the account needs room for the buckets.

    A smaller size is reported. `bucket_bytes` is the user's limit for a projection. Raises
    ServerError with the account's figures if it has no room for a log.
    """
    needed = buckets_needed(projections, sealed=sealed)
    room, missing = await together(room_for(link, replicas), missing_of(link, needed))
    try:
        size = plan_log(missing, room, bucket_bytes)
    except NoRoomForLogError as error:
        raise no_room_for_log(stream, error.size, room) from error
    if size < WANTED_LOG:
        notice(
            f"the account's limits leave the log {stream} {described_bytes(size)} instead of "
            f"{described_bytes(WANTED_LOG)}, beside its buckets; {LOG_FLAG} sets another size"
        )
    return size
