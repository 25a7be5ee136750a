"""The name of Natster's log. It stands alone because the help of an option needs nothing else."""

from __future__ import annotations

STREAM = "NATSTER_EVENTS"
