"""Commands through a JetStream domain or an imported API write there, or name what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from tests.cli.program import Program, together
from tests.elsewhere import (
    Elsewhere,
    HubAndLeaf,
    ImportingAccounts,
    everything_in,
    publish_there_only,
    started,
    when_connected,
)
from tests.making_logs import append, initialized

A, B = (encode_account_key(bytes([number]) * 32) for number in (1, 2))
SHARE = ("publish", "catalog_shared", "--origin", A, "--target", B, "--catalog", "kevbuzz")
LINE = (
    '{"seq":9,"time":"2021-03-04T05:06:07Z",'
    f'"subject":"natster.events.{A}.{B}.music.catalog_shared","headers":{{}},"payload":""}}\n'
)


@pytest.fixture(scope="module")
def leaf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubAndLeaf]:
    with started(HubAndLeaf(tmp_path_factory.mktemp("domains"), 2)) as place:
        yield place


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportingAccounts]:
    with started(ImportingAccounts(tmp_path_factory.mktemp("imports"), 1)) as place:
        yield place


async def furnished(place: Elsewhere) -> Elsewhere:
    """Three events next to the client, two elsewhere."""
    await when_connected(place)
    for settings in (place.own, place.inside):
        link = await Link.open(settings)
        log = await EventLog.create(link, NATSTER, LogSettings())
        if settings is place.own:
            await append(log, [initialized(A), initialized(A), initialized(B)])
        await link.close()
    await publish_there_only(place.inside, [initialized(A), initialized(B)])
    return place


def program(home: Path, place: Elsewhere) -> Program:
    return Program(home).on(place.own, *place.options)


async def import_and_project(home: Path, place: Elsewhere) -> None:
    told = await program(home, place).succeed("import", "-", given=LINE)
    assert "imported 1 event" in told.out
    told = await program(home, place).succeed("project", "--once")
    assert "at 3" in told.out


async def test_import_and_project_write_there_only(
    leaf: HubAndLeaf, imports: ImportingAccounts, tmp_path: Path
) -> None:
    places = [await furnished(leaf.take(mapped=True))]
    places.append(await furnished(imports.take(imported=True)))
    before = [await everything_in(place.own) for place in places]
    await together(*(import_and_project(tmp_path, place) for place in places))
    assert [await everything_in(place.own) for place in places] == before
    for place in places:
        inside = await everything_in(place.inside)
        assert inside[NATSTER.stream][2]["last_seq"] == 3
        assert inside["KV_PROJ_ACCOUNT"][2]["messages"] == 3


async def test_a_command_names_what_is_missing_and_exits_with_3(
    leaf: HubAndLeaf, imports: ImportingAccounts, tmp_path: Path
) -> None:
    not_mapped = await furnished(leaf.take(mapped=False))
    not_imported = await furnished(imports.take(imported=False))
    places = (not_mapped, not_imported)
    before = [await everything_in(place.own) for place in places]
    sentences = await together(
        program(tmp_path, not_mapped).fail(3, *SHARE),
        program(tmp_path, not_imported).fail(3, "import", "-", given=LINE),
        program(tmp_path, not_imported).fail(3, "project", "--once"),
        Program(tmp_path).on(not_mapped.own, "--js-domain", "moon").fail(3, "status"),
    )
    assert "no JetStream domain moon" in sentences.pop()
    assert "map $JS.hub.API.natster.events.> to natster.events.>" in sentences[0]
    for sentence in sentences[1:]:
        assert "import natster.events.> and $KV.> as JS.own.API.natster.events.>" in sentence
    assert [await everything_in(place.own) for place in places] == before
    for place in places:
        assert (await everything_in(place.inside))[NATSTER.stream][2]["last_seq"] == 2


async def test_a_missing_log_on_a_server_with_a_domain_hints_at_the_other_domains(
    leaf: HubAndLeaf, tmp_path: Path
) -> None:
    place = leaf.take(mapped=True)
    await when_connected(place)
    sentence = await Program(tmp_path).on(place.own).fail(3, "status", "--stream", "ELSEWHERE")
    assert "check --server, --stream and --js-domain (this is domain leaf)" in sentence
    there = program(tmp_path, place)
    assert "check --server and --stream, " in await there.fail(3, "status", "--stream", "ELSEWHERE")
