"""Rewrites the stored schemas: `python -m tests.cli.outputs`."""

from __future__ import annotations

from tests.cli.outputs.schemas import write

write()
