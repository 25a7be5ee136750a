"""What the README tells operators to permit is what the tests run with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.permissions import PERMISSIONS

README = (Path(__file__).parent.parent / "README.md").read_text()


def listed(role: str) -> set[str]:
    """The subjects in the README's list for a role."""
    _, _, after = README.partition(f"<summary>{role}</summary>")
    block, _, _ = after.partition("</details>")
    return set(re.findall(r'^ +"([^"]+)"', block, re.MULTILINE))


@pytest.mark.parametrize(
    ("user", "roles"),
    [
        ("observer", ["observer"]),
        ("projector", ["observer", "projector"]),
        ("keyholder", ["observer", "projector", "key holder"]),
    ],
)
def test_the_readmes_permissions_are_those_that_are_tested(user: str, roles: list[str]) -> None:
    assert set().union(*map(listed, roles)) == set(PERMISSIONS[user]["publish"])
