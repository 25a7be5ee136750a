"""The figures of the community in words."""

from __future__ import annotations

from natster_tui.projections.community.figures import CommunityFigures


def test_a_count_of_one_is_singular() -> None:
    labels = [label for _count, label in CommunityFigures(1, 1, 1, 1, 1).rows]
    assert labels[:4] == [
        "account initialized",
        "active share",
        "catalog",
        "duplicate catalog name",
    ]
    assert labels[4].startswith("prize candidate:")
    labels = [label for _count, label in CommunityFigures(2, 0, 2, 0, 2).rows]
    assert labels[:4] == [
        "accounts initialized", "active shares", "catalogs", "duplicate catalog names",
    ]  # fmt: skip
    assert labels[4].startswith("prize candidates:")
