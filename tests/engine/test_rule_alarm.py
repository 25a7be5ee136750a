"""A rule that takes too long over one event is interrupted, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.projections import activity

PROGRAM = """
import time
from pathlib import Path

from natster_tui.engine import rule_alarm
from natster_tui.errors import RuleFailedError
from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.loading import load_file
from natster_tui.projections.versions.naming import placed_beside

rule_alarm.LONGEST_S, rule_alarm.LOOK_S = 0.2, 0.05
(projection,) = load_file(Path({file!r}))
rule_alarm.watch_rules([projection])
record = Record(7, 1, "natster.events.AA.none.none.natster_initialized")
for each in (projection, placed_beside(projection)):
    fold = Fold(each)
    try:
        fold.apply(record, NATSTER.read(record))
    except RuleFailedError as error:
        print(error.sentence)
    print(fold.seq, fold.states)
"""


@pytest.mark.parametrize(
    "hangs",
    ["while True: pass", "time.sleep(30)"],
)
async def test_a_rule_that_hangs_is_interrupted_and_named_with_its_event(
    tmp_path: Path, hangs: str
) -> None:
    file = tmp_path / "activity.py"
    text = Path(activity.__file__).read_text()
    rule = "        if document is None:"
    assert rule in text
    file.write_text(text.replace(rule, f"        import signal, time\n        {hangs}\n{rule}"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM.format(file=str(file))), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        out, _ = await process.communicate()
    said = out.decode().splitlines()
    for name, sentence, left in zip(
        ("activity", "activity.v1"), said[::2], said[1::2], strict=True
    ):
        assert sentence.startswith(f"the rule of {name} failed at event 7 ")
        assert "it took more than 0.2 s over this event" in sentence
        assert left == "0 {}"
