"""Writing a batch to one of our buckets, even if its settings were changed."""

from __future__ import annotations

from collections.abc import Sequence

from natster_tui.errors import ApiError
from natster_tui.store.connection.api_codes import ATOMIC_DISABLED
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import notice
from natster_tui.store.provisioning.refusals import cannot_write
from natster_tui.store.provisioning.updating import change_settings
from natster_tui.store.writing.atomic_batch import BatchMessage, publish_batch


async def commit_batch(link: Link, bucket: str, messages: Sequence[BatchMessage]) -> int:
    """Store all messages in a bucket, or none; returns the sequence of the last one.

    Switches atomic batches on if they are off, and gives a notice. Raises ConflictError if an
    expectation fails, BucketError if a limit of the bucket is reached, and what `publish_batch`
    raises.
    """
    try:
        return await publish_batch(link, bucket, messages)
    except ApiError as error:
        if error.code != ATOMIC_DISABLED:
            raise cannot_write(bucket, error) from error
    if await change_settings(
        link,
        f"KV_{bucket}",
        {"allow_atomic": True},
        unless=lambda config: config.allow_atomic,
    ):
        notice(f"{bucket} did not allow atomic batches: it does now, as committing needs them")
    try:
        return await publish_batch(link, bucket, messages)
    except ApiError as error:
        raise cannot_write(bucket, error) from error
