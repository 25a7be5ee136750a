"""Why the server refuses to make one of our buckets, or to write to it, and what to do about it."""

from __future__ import annotations

from natster_tui.errors import ApiError, BucketError
from natster_tui.store.connection import api_codes as codes
from natster_tui.store.provisioning.sizes import Room, TooSmallError
from natster_tui.store.provisioning.specs import BucketSpec
from natster_tui.text.byte_sizes import described_bytes

FLAG = "--bucket-bytes"
"""The option for the size of a projection's bucket."""


def cannot_make(
    spec: BucketSpec, error: ApiError, *, size: int | None, room: Room | None, replicas: int
) -> BucketError:
    """The error for a bucket that cannot be created.

    `size` is its limit, and `room` what the account has left, if known.
    """
    what = f"the bucket {spec.name} cannot be made ({error.description})"
    match error.code:
        case codes.STORAGE_EXCEEDED:
            return BucketError(
                f"{what}: {_storage(size, room)}; raise the storage limit of the account or of "
                f"the server, or give a smaller {FLAG}"
            )
        case codes.STREAM_MAX_BYTES_EXCEEDED:
            return BucketError(f"{what}: {_per_stream(room)}; give a smaller {FLAG}")
        case codes.MAXIMUM_STREAMS:
            return BucketError(
                f"{what}: raise max_streams of the account, or remove a stream that is not needed"
            )
        case codes.REPLICAS_NOT_SUPPORTED | codes.CLUSTER_NO_PEERS:
            return BucketError(
                f"{what}: the log has {replicas} replicas and the bucket should have as many; let "
                "more servers of the cluster have JetStream and room for it"
            )
        case codes.SUBJECTS_OVERLAP:
            return BucketError(
                f"{what}: another stream of the account takes $KV.{spec.name}.> or a part of it; "
                "take those subjects from it"
            )
    return BucketError(what)


def too_small(error: TooSmallError, room: Room) -> BucketError:
    """The error for an account that leaves a bucket less than it needs."""
    name, size = error.bucket.name, described_bytes(error.size)
    least = described_bytes(error.least)
    if error.asked:
        return BucketError(
            f"the bucket {name} cannot have {least}: the account has {size} for it "
            f"({_figures(room)}); give a smaller {FLAG}, or raise the account's limits"
        )
    return BucketError(
        f"the account requires a size for each bucket, and {name} would get {size}, less than "
        f"{least} ({_figures(room)}): raise the account's limits, or give {FLAG} SIZE to accept "
        "a smaller one"
    )


def cannot_write(bucket: str, error: ApiError) -> ApiError | BucketError:
    """A refused write, in a sentence that names the limit; other errors are returned unchanged."""
    stream = f"KV_{bucket}"
    match error.code:
        case codes.STORE_FAILED:
            return BucketError(
                f"{bucket} takes no more ({error.description}): raise max_bytes of the stream "
                f"{stream}, or make room on the server's disk"
            )
        case codes.MESSAGE_TOO_LARGE:
            return BucketError(
                f"{bucket} refuses an entry of this size ({error.description}): raise "
                f"max_msg_size of the stream {stream}"
            )
        case codes.ACCOUNT_LIMITS_EXCEEDED:
            return BucketError(
                f"{bucket} takes no more ({error.description}): raise the storage limit of the "
                "account"
            )
    return error


def _storage(size: int | None, room: Room | None) -> str:
    wanted = "a bucket without a limit" if size is None else described_bytes(size)
    known = "" if room is None else f", {_figures(room)}"
    return f"there is no room for {wanted}{known}"


def _per_stream(room: Room | None) -> str:
    if room is None or room.per_stream is None:
        return "the account limits the size of a stream"
    return f"the account allows {described_bytes(room.per_stream)} for a stream"


def _figures(room: Room) -> str:
    """What the account allows, in figures."""
    figures = []
    if room.storage is not None and room.left is not None:
        left, storage = described_bytes(max(0, room.left)), described_bytes(room.storage)
        figures.append(f"{left} of the account's {storage} are not reserved")
    if room.per_stream is not None:
        figures.append(f"{described_bytes(room.per_stream)} is the most for a stream")
    if room.replicas > 1:
        figures.append(f"each byte counts {room.replicas} times")
    return ", ".join(figures) or "the account names no limit"
