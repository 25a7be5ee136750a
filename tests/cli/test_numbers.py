from __future__ import annotations

import click
import pytest

from natster_tui.cli.program.numbers import FiniteRange
from tests.cli.program import Program

RATE = FiniteRange(min=0, max=100)


@pytest.mark.parametrize("text", ["nan", "-nan", "NaN", "inf", "-inf", "-1", "101", "", "1,5"])
def test_a_number_outside_the_bounds_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        RATE.convert(text, None, None)


@pytest.mark.parametrize("text", ["0", "-0.0", "100", "1e-320", "0.5"])
def test_numbers_within_the_bounds_are_taken(text: str) -> None:
    assert RATE.convert(text, None, None) == float(text)


async def test_a_rate_that_is_not_a_number_is_refused_in_one_sentence(anywhere: Program) -> None:
    assert "'nan' is not a number" in await anywhere.fail(2, "demo", "--rate", "nan")
