"""Sizes in bytes, as people and NATS write them: `64MiB`, `1GiB`.

Units are always powers of 1,024: `64M`, `64MB` and `64MiB` are the same, as in nats-server's own
configuration.
"""

from __future__ import annotations

import re

KIB, MIB, GIB, TIB = 1024, 1024**2, 1024**3, 1024**4

_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": TIB}
_SIZE = re.compile(r"([0-9]{1,18})([KMGT]?)(?:I?B)?", re.IGNORECASE)


def parse_byte_size(text: str) -> int:
    """Parse a size; raises ValueError if the text is not one."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a size: write it as 64MiB or 1GiB")
    return int(found[1]) * _UNITS[found[2].upper()]


def described_bytes(size: int) -> str:
    """A size to show, rounded down: `64 MiB`, `1.5 GiB`."""
    for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size * 10 // unit / 10:,g} {name}"
    return f"{size:,} bytes"
