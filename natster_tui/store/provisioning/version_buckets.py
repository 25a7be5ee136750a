"""The buckets of versions that are stored beside a projection: finding them, and deleting one.

Such a bucket carries a mark in its stream's metadata. No other bucket or stream is ever deleted.
"""

from __future__ import annotations

from natster_tui.errors import ApiError, RefusedError
from natster_tui.store.connection.answers.streams import DoneAnswer, StreamConfig
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import NAMES_VERB, find_stream, stream_names
from natster_tui.store.provisioning.specs import BESIDE_MARK

_STREAM_PREFIX = "KV_"


async def bucket_names(link: Link) -> tuple[str, ...] | None:
    """All key-value buckets of the account, ours or not; None if we may not list them."""
    names = await link.denials.if_permitted(
        link.target.request(NAMES_VERB), lambda: stream_names(link, "$KV.*.>")
    )
    if names is None:
        return None
    return tuple(
        name.removeprefix(_STREAM_PREFIX) for name in names if name.startswith(_STREAM_PREFIX)
    )


async def is_beside(link: Link, bucket: str, stored: str) -> bool:
    """Whether a bucket exists and carries the mark of being beside the bucket `stored`."""
    config = await _config(link, bucket)
    return config is not None and _is_marked(config, stored)


async def is_beside_if_permitted(link: Link, bucket: str, stored: str) -> bool:
    """As `is_beside`; False, without a report, if we may not read the bucket."""
    return bool(
        await link.denials.if_permitted(
            link.target.request(f"STREAM.INFO.{_STREAM_PREFIX}{bucket}"),
            lambda: is_beside(link, bucket, stored),
        )
    )


async def delete_beside(link: Link, bucket: str, stored: str) -> bool:
    """Delete a bucket beside the bucket `stored`; returns whether it was there.

    Raises RefusedError, and deletes nothing, if it does not carry the mark.
    """
    config = await _config(link, bucket)
    if config is None:
        return False
    if not _is_marked(config, stored):
        raise RefusedError(
            f"{bucket} is not deleted: it was not made to be stored beside {stored} "
            f"(its metadata has no {BESIDE_MARK})"
        )
    try:
        await link.ask(f"STREAM.DELETE.{_STREAM_PREFIX}{bucket}", DoneAnswer)
    except ApiError as error:
        if error.code != STREAM_NOT_FOUND:
            raise
    return True


def _is_marked(config: StreamConfig, stored: str) -> bool:
    return (config.metadata or {}).get(BESIDE_MARK) == stored


async def _config(link: Link, bucket: str) -> StreamConfig | None:
    stream = f"{_STREAM_PREFIX}{bucket}"
    if denied := link.denials.of(link.target.request(f"STREAM.INFO.{stream}")):
        # A dashboard asks repeatedly, and the server logs each denied request.
        raise denied
    info = await find_stream(link, stream)
    return None if info is None else info.config
