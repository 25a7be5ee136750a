"""The subjects that messages are published to, and the errors if the stream is not reached."""

from __future__ import annotations

import pytest

from natster_tui.store.connection.write_target import (
    Destination,
    WriteTarget,
    destination_of,
    misplaced_write,
    overlap,
    refused_write,
    unreachable_jetstream,
)
from natster_tui.store.settings.connection import ConnectionSettings

EVENT = "natster.events.AA.none.none.natster_initialized"
ENTRY = "$KV.PROJ_ACCOUNT.AA"
PLAIN, HUB = WriteTarget(), WriteTarget("$JS.hub.API")
OWN = WriteTarget("JS.own.API")


def target(js_domain: str | None = None, js_api_prefix: str | None = None) -> WriteTarget:
    return WriteTarget.of(
        ConnectionSettings(
            servers=("nats://h",), js_domain=js_domain, js_api_prefix=js_api_prefix, origin="flags"
        )
    )


@pytest.mark.parametrize(
    ("settings", "prefix", "domain"),
    [
        ({}, "$JS.API", ""),
        ({"js_domain": "hub"}, "$JS.hub.API", "hub"),
        ({"js_api_prefix": "$JS.hub.API"}, "$JS.hub.API", "hub"),
        ({"js_api_prefix": "JS.own.API"}, "JS.own.API", ""),
        ({"js_api_prefix": "JS.own.API."}, "JS.own.API", ""),
        ({"js_api_prefix": "JS.own.API.>"}, "JS.own.API", ""),
        ({"js_api_prefix": "$JS.API"}, "$JS.API", ""),
    ],
)
def test_a_domain_is_a_prefix(settings: dict[str, str], prefix: str, domain: str) -> None:
    made = target(**settings)
    assert (made.prefix, made.domain) == (prefix, domain)
    assert made.request("STREAM.NAMES") == f"{prefix}.STREAM.NAMES"


@pytest.mark.parametrize("subject", [EVENT, ENTRY])
def test_everything_is_published_below_the_prefix(subject: str) -> None:
    assert HUB.stored(subject) == f"$JS.hub.API.{subject}"
    assert OWN.stored(subject) == f"JS.own.API.{subject}"


@pytest.mark.parametrize("subject", [EVENT, ENTRY])
def test_without_domain_and_prefix_it_is_published_as_it_is_stored(subject: str) -> None:
    assert PLAIN.stored(subject) == subject
    assert target(js_api_prefix="$JS.API").stored(subject) == subject


@pytest.mark.parametrize(
    ("answered", "destination"),
    [
        ((), Destination.NONE),
        (("KV_X",), Destination.THE_STREAM),
        (("KV_Y",), Destination.ANOTHER),
        (("KV_X", "KV_X"), Destination.SEVERAL),
        (("KV_X", "KV_Y"), Destination.SEVERAL),
    ],
)
def test_only_the_stream_alone_permits_a_write(
    answered: tuple[str, ...], destination: Destination
) -> None:
    assert destination_of("KV_X", answered) is destination


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (
            refused_write(Destination.NONE, HUB, "NATSTER_EVENTS", EVENT),
            ["in the JetStream domain hub", "map $JS.hub.API.natster.events.> to natster.events.>"],
        ),
        (
            refused_write(Destination.NONE, HUB, "NATSTER_EVENTS", EVENT, server_domain="hub"),
            ["map $JS.hub.API.natster.events.>", "leave the domain out"],
        ),
        (
            refused_write(Destination.NONE, OWN, "KV_PROJ_ACCOUNT", ENTRY),
            ["import natster.events.> and $KV.>", "JS.own.API.natster.events.>"],
        ),
        (
            refused_write(Destination.NONE, PLAIN, "NATSTER_EVENTS", EVENT, server_domain="leaf"),
            ["in the JetStream domain leaf", "check the subjects of NATSTER_EVENTS"],
        ),
        (
            refused_write(Destination.ANOTHER, PLAIN, "COPY", EVENT, ("NATSTER_EVENTS",)),
            ["stored by NATSTER_EVENTS here, and not by COPY", "--stream"],
        ),
        (
            refused_write(Destination.ANOTHER, OWN, "NATSTER_EVENTS", EVENT, ("OTHER",)),
            ["stored by OTHER here", "imports below JS.own.API"],
        ),
        (
            refused_write(Destination.SEVERAL, PLAIN, "LOG", EVENT, ("LOG", "LOG"), "leaf"),
            ["2 streams would store natster.events.>", "deny_imports", "JetStream domain"],
        ),
    ],
)
def test_a_refusal_names_what_is_missing(made: Exception, words: list[str]) -> None:
    assert str(made).startswith("nothing was written: ")
    for word in words:
        assert word in str(made), str(made)


def test_a_misplaced_write_names_both_places() -> None:
    sentence = str(misplaced_write("an event", HUB, ("LOG", "hub"), ("LOG", "leaf")))
    assert "stored by LOG in the domain leaf, and not by LOG in the domain hub" in sentence
    sentence = str(misplaced_write("an event", OWN, ("LOG", ""), ("OTHER", "")))
    assert "stored by OTHER, and not by LOG" in sentence


def test_an_unknown_domain_or_prefix_is_named() -> None:
    assert "JetStream domain hub" in unreachable_jetstream(HUB, "nats://h", "the user a")
    assert "API prefix JS.own.API" in unreachable_jetstream(OWN, "nats://h", "the user a")
    assert "has no JetStream" in unreachable_jetstream(PLAIN, "nats://h", "the user a")


def test_the_jetstream_that_is_meant_stands_beside_the_server() -> None:
    assert HUB.described_at("nats://h") == "nats://h (JetStream domain hub)"
    assert OWN.described_at("nats://h") == "nats://h (JetStream API prefix JS.own.API)"
    assert PLAIN.described_at("nats://h") == "nats://h"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.>", "a.b.*", True),
        ("a.*.c", "a.b.>", True),
        (">", "a", True),
        ("a.b", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.x.>", "a.*.c", True),
        ("x.>", "a.>", False),
        ("a.b", "a.c", False),
    ],
)
def test_two_wildcards_overlap_if_a_subject_matches_both(
    one: str, other: str, expected: bool
) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected
