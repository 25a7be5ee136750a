from __future__ import annotations

import json

import pytest

from tests.store.settings.home import Home


@pytest.mark.parametrize("given", ["JS.own.API", "JS.own.API.", "JS.own.API.>"])
def test_a_prefix_may_end_as_it_does_in_an_import(home: Home, given: str) -> None:
    assert home.resolve(js_api_prefix=given).js_api_prefix == "JS.own.API"


@pytest.mark.parametrize("option", ["inbox_prefix", "js_api_prefix", "js_domain"])
@pytest.mark.parametrize(
    "given", ["a b", "*", ">", "a..b", ".a", "a\r\nPING", "a.*.b", "a\x1b[1m", "a>"]
)
def test_what_is_no_part_of_a_subject_is_refused_by_its_field(
    home: Home, option: str, given: str
) -> None:
    sentence = home.refusal(server="h", **{option: given})
    assert f"--{option.replace('_', '-')}" in sentence
    assert "\x1b" not in sentence
    name = {"js_domain": "jetstream_domain", "js_api_prefix": "jetstream_api_prefix"}
    field = name.get(option, option)
    home.write(".config/nats/context/prod.json", json.dumps({field: given}))
    assert f"the {field} of the nats context" in home.refusal(context="prod")


def test_a_domain_is_one_word(home: Home) -> None:
    assert home.resolve(js_domain="hub-1").js_domain == "hub-1"
    assert "without dots" in home.refusal(js_domain="a.b")
