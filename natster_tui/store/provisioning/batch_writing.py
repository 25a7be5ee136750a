"""Writing a batch to one of our buckets, even if its settings were changed."""

from __future__ import annotations

from collections.abc import Sequence

from natster_tui.errors import ApiError, ServerError
from natster_tui.store.connection.api_codes import ATOMIC_DISABLED, BATCH_INCOMPLETE
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import notice
from natster_tui.store.provisioning.account import account_if_permitted
from natster_tui.store.provisioning.refusals import account_full, cannot_write
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
            raise await _refusal(link, bucket, messages, error) from error
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
        raise await _refusal(link, bucket, messages, error) from error


async def _refusal(
    link: Link, bucket: str, messages: Sequence[BatchMessage], error: ApiError
) -> ServerError:
    """The error for a refused batch, with the limit that was reached.

    When the account's storage is used up in the middle of a batch, the server drops the batch and
    only says that it is incomplete.
    """
    if error.code == BATCH_INCOMPLETE:
        account = await account_if_permitted(link)
        size = sum(len(each.subject) + len(each.value) for each in messages)
        for used in () if account is None else (account, *(account.tiers or {}).values()):
            left = used.limits.max_storage - used.storage
            if used.limits.max_storage > 0 and left < size:
                return account_full(bucket, left, used.limits.max_storage)
    return cannot_write(bucket, error)
