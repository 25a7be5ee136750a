"""Message headers as a stream keeps them: a `NATS/1.0` block of names and values.

A value may hold any bytes except line ends. Bytes that are not UTF-8 are read with Python's
`surrogateescape`, so that they can be written again unchanged.
"""

from __future__ import annotations

Headers = tuple[tuple[str, str], ...]
"""Names and values, in order and with repetitions: of repeated headers the first counts."""


def parse_headers(block: bytes) -> Headers:
    """The header pairs of a `NATS/1.0` block, in order and with repetitions."""
    pairs = []
    for line in block.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            pairs.append((name.strip().decode("ascii", "replace"), read_value(value)))
    return tuple(pairs)


def read_value(value: bytes) -> str:
    """A header's value as text, without the blanks around it."""
    return value.strip().decode("utf-8", "surrogateescape")


def first_value(headers: Headers, name: str) -> str | None:
    """The first value of a header, or None; names are case-sensitive."""
    return next((value for each, value in headers if each == name), None)


def first_header(block: bytes, name: str) -> str | None:
    """The same from a `NATS/1.0` block.

    It parses the whole block only if the name is at an unusual place: a replay needs the message id
    of every sealed event.
    """
    wanted = name.encode()
    at = block.find(wanted)
    if at < 0:
        return None
    end = at + len(wanted)
    if at > 1 and block.startswith(b":", end) and block.startswith(b"\r\n", at - 2):
        line = block.find(b"\r\n", end)
        return read_value(block[end + 1 : None if line < 0 else line])
    return first_value(parse_headers(block), name)
