"""`python -m tests.last_failed`: how many tests failed in the last run, as pytest remembers it."""

from __future__ import annotations

import json
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".pytest_cache"


def count(cache: Path = CACHE) -> int:
    """The number of failures; 0 if the run ended before pytest could write them down."""
    kept = cache / "v" / "cache" / "lastfailed"
    if not kept.exists():
        return 0
    return len(json.loads(kept.read_text()))


if __name__ == "__main__":
    print(count())
