"""The errors if the server refuses to create our log or a bucket, or to write to it."""

from __future__ import annotations

from natster_tui.errors import ApiError, BucketError, ServerError
from natster_tui.store.connection import api_codes as codes
from natster_tui.store.provisioning.sizes import LEAST_LOG, Room, TooSmallError
from natster_tui.store.provisioning.specs import BucketSpec
from natster_tui.text.byte_sizes import described_bytes

FLAG = "--bucket-bytes"
"""The option for the size of a projection's bucket."""
LOG_FLAG = "--log-setting max_bytes=SIZE"
"""The option for the size of a new log."""


def cannot_make_log(stream: str, error: ApiError, max_bytes: int) -> ServerError:
    """The error for a log that cannot be created; other refusals are returned unchanged.

    `max_bytes` is the size that was asked for, -1 for no limit.
    """
    what = f"the log {stream} cannot be made ({error.description})"
    match error.code:
        case codes.STORAGE_EXCEEDED | codes.STREAM_MAX_BYTES_EXCEEDED:
            size = "no limit" if max_bytes < 0 else described_bytes(max_bytes)
            return ServerError(
                f"{what}: it would have {size}, and its buckets need room beside it; give a "
                f"smaller {LOG_FLAG}, or raise the storage limits of the account or of the server"
            )
        case codes.MAX_BYTES_REQUIRED:
            return ServerError(f"{what}: give it a size with {LOG_FLAG}")
        case codes.MAXIMUM_STREAMS:
            return ServerError(
                f"{what}: raise max_streams of the account, or remove a stream that is not needed"
            )
        case codes.SUBJECTS_OVERLAP:
            return ServerError(
                f"{what}: another stream of the account takes its subjects, or a part of them: "
                "name that stream with --stream, or take those subjects from it"
            )
        case codes.REPLICAS_NOT_SUPPORTED | codes.CLUSTER_NO_PEERS:
            return ServerError(
                f"{what}: give fewer with --log-setting replicas=NUMBER, or let more servers of "
                "the cluster have JetStream and room for it"
            )
    return error


def no_room_for_log(stream: str, size: int, room: Room) -> ServerError:
    """The error for an account that leaves a new log of no chosen size too little."""
    return ServerError(
        f"the log {stream} cannot be made: beside its buckets it would get "
        f"{described_bytes(size)}, less than {described_bytes(LEAST_LOG)} ({figures_of(room)}); "
        f"raise the account's limits, or accept smaller sizes with {LOG_FLAG} and {FLAG} SIZE"
    )


def cannot_make(
    spec: BucketSpec,
    error: ApiError,
    *,
    size: int | None,
    room: Room | None,
    replicas: int,
    log_limit: int = 0,
) -> BucketError:
    """The error for a bucket that cannot be created.

    `size` is its limit, and `room` what the account has left, if known. `log_limit` is what the
    log reserves of it, 0 for nothing.
    """
    what = f"the bucket {spec.name} cannot be made ({error.description})"
    match error.code:
        case codes.STORAGE_EXCEEDED:
            return BucketError(f"{what}: {_no_storage(size, room, log_limit)}")
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
            f"({figures_of(room)}); give a smaller {FLAG}, or raise the account's limits"
        )
    return BucketError(
        f"the account requires a size for each bucket, and {name} would get {size}, less than "
        f"{least} ({figures_of(room)}): raise the account's limits, or give {FLAG} SIZE to accept "
        "a smaller one"
    )


def cannot_write(bucket: str, error: ApiError) -> ApiError | BucketError:
    """The error for a refused write, with the limit; other errors are returned unchanged."""
    stream = f"KV_{bucket}"
    match error.code:
        case codes.STORE_FAILED:
            return BucketError(
                f"{bucket} takes no more ({error.description}): raise max_bytes or max_msgs of the "
                f"stream {stream}, or make room on the server's disk"
            )
        case codes.MESSAGE_TOO_LARGE:
            return BucketError(
                f"{bucket} refuses an entry of this size ({error.description}): raise "
                f"max_msg_size of the stream {stream}"
            )
        case codes.STREAM_SEALED:
            return BucketError(
                f"{bucket} takes no more ({error.description}): delete the stream {stream}, which "
                "is made again"
            )
        case codes.ACCOUNT_LIMITS_EXCEEDED:
            return BucketError(f"{bucket} takes no more ({error.description}): {_MORE_OF_ACCOUNT}")
        case codes.INSUFFICIENT_RESOURCES:
            # It may pass, so the code stays.
            sentence = f"{bucket} takes no more ({error.description}): {_MORE_OF_SERVER}"
            return ApiError(sentence, error.code, error.description)
    return error


def cannot_append(stream: str, error: ApiError) -> ApiError:
    """The error for a refused event, with what to raise; other errors are returned unchanged."""
    remedies = {
        codes.ACCOUNT_LIMITS_EXCEEDED: _MORE_OF_ACCOUNT,
        codes.INSUFFICIENT_RESOURCES: _MORE_OF_SERVER,
    }
    if remedy := remedies.get(error.code):
        sentence = f"{stream} takes no more ({error.description}): {remedy}"
        return ApiError(sentence, error.code, error.description)
    return error


_MORE_OF_ACCOUNT = "raise the storage limit of the account"
_MORE_OF_SERVER = "the server's storage is used up: raise max_file_store, or make room"


def account_full(bucket: str, left: int, limit: int) -> BucketError:
    """The error for a batch that is larger than what the account has left, in bytes."""
    return BucketError(
        f"{bucket} takes no more (the account has {described_bytes(max(0, left))} of "
        f"{described_bytes(limit)} left): {_MORE_OF_ACCOUNT}"
    )


def _no_storage(size: int | None, room: Room | None, log_limit: int) -> str:
    raise_it = "raise the storage limit of the account or of the server"
    if size is None:
        # A bucket without a limit reserves nothing, so a smaller size would not help.
        log = f" ({described_bytes(log_limit)} are the log's)" if log_limit > 0 else ""
        return (
            f"all of the storage is reserved{log}; {raise_it}, or lower max_bytes of the log's "
            "stream"
        )
    known = "" if room is None else f", {figures_of(room)}"
    return (
        f"there is no room for {described_bytes(size)}{known}; {raise_it}, or give a smaller {FLAG}"
    )


def _per_stream(room: Room | None) -> str:
    if room is None or room.per_stream is None:
        return "the account limits the size of a stream"
    return f"the account allows {described_bytes(room.per_stream)} for a stream"


def figures_of(room: Room) -> str:
    """The figures of the account's limits."""
    figures = []
    if room.storage is not None and room.left is not None:
        left, storage = described_bytes(max(0, room.left)), described_bytes(room.storage)
        figures.append(f"{left} of the account's {storage} are not reserved")
    if room.per_stream is not None:
        figures.append(f"{described_bytes(room.per_stream)} is the most for a stream")
    if room.replicas > 1:
        figures.append(f"each byte counts {room.replicas} times")
    return ", ".join(figures) or "the account names no limit"
