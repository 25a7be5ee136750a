"""Message headers as a stream keeps them: a `NATS/1.0` block of names and values."""

from __future__ import annotations

Headers = tuple[tuple[str, str], ...]
"""Names and values, in order and with repetitions: of repeated headers the first counts."""


def parse_headers(block: bytes) -> Headers:
    """The header pairs of a `NATS/1.0` block, in order and with repetitions."""
    pairs = []
    for line in block.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            pairs.append(
                (name.strip().decode("ascii", "replace"), value.strip().decode("utf-8", "replace"))
            )
    return tuple(pairs)
