from __future__ import annotations

import pytest

from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.declaration import declaration_problem
from natster_tui.projections.registering.registry import BUILT_IN
from natster_tui.projections.versions.naming import bucket_beside, placed_beside, versions_among
from natster_tui.store.lease import projector_keys, rebuild_keys
from tests.projections.activity import ActivityProjection


def test_a_version_beside_has_the_same_rule_and_a_place_of_its_own() -> None:
    projection = ActivityProjection()
    placed = placed_beside(projection)
    assert (placed.name, placed.bucket, placed.beside) == (
        "activity.v1",
        "PROJ_ACTIVITY_v1",
        "PROJ_ACTIVITY",
    )
    assert placed.version == projection.version
    assert Fold(placed).projection is placed
    assert (projection.name, projection.bucket, projection.beside) == (
        "activity",
        "PROJ_ACTIVITY",
        "",
    )


@pytest.mark.parametrize("projection", BUILT_IN.all, ids=lambda each: each.name)
def test_its_leases_name_the_version_and_nothing_else(projection: ActivityProjection) -> None:
    placed, number = placed_beside(projection), projection.version
    keys = projector_keys(placed.name)
    assert keys.held == (f"projector.{projection.name}.v{number}",)
    assert keys.former == ""
    assert rebuild_keys(placed.name).held == (f"rebuild.{projection.name}.v{number}",)


def test_no_projection_can_be_registered_under_the_names_of_a_version_beside() -> None:
    projection = ActivityProjection()
    projection.name = placed_beside(projection).name
    assert "name must be" in declaration_problem(projection)
    projection = ActivityProjection()
    projection.bucket = bucket_beside(projection.bucket, 2)
    assert "versions are stored beside" in declaration_problem(projection)


def test_versions_are_found_among_names_of_buckets() -> None:
    names = ("P_v10", "P_v2", "P", "P_v", "P_vx", "P_v02", "P_v-1", "PP_v3", "P_v0", "P_v2_v4")
    assert versions_among(names, "P") == (2, 10)
