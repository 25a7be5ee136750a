from __future__ import annotations

import base64
from typing import Any

import pytest

from natster_tui.store.settings.secrets import revealed
from tests.store.settings.home import CREDS, JWT, SEED, Home, who

PLACES = ("creds", "nkey", "password", "token", "user_jwt")


def data(content: str) -> str:
    return f"data:;base64,{base64.b64encode(content.encode()).decode()}"


def values_with(place: str, reference: str) -> dict[str, Any]:
    """A context in which a field is the reference."""
    return {"url": "nats://h", place: reference, **({"user": "ada"} if place == "password" else {})}


@pytest.mark.parametrize("by", ["context", "flags"])
def test_texts_are_found_where_references_say(home: Home, by: str) -> None:
    def token(reference: str) -> str | None:
        if by == "flags":
            return who(home.resolve(token=reference))[2]
        home.context("prod", token=reference)
        return who(home.resolve(context="prod"))[2]

    home.environ["SECRET"] = "hunter2\n"
    path = home.write("secret", "hunter3\r\n")
    assert token("env://SECRET") == "hunter2"
    assert token("ENV://SECRET") == "hunter2"
    assert token(f"file://{path}") == "hunter3"
    assert token("file://~/secret") == "hunter3"
    assert token(data("hunter4")) == "hunter4"
    assert token(data("hunter5").replace("data:;", "data:text/plain; charset=x;")) == "hunter5"
    assert token("a:b://c") == "a:b://c"


def test_credentials_and_nkeys_are_found_where_references_say(home: Home) -> None:
    home.environ.update(CREDS=CREDS, SEED=SEED)
    path = home.creds()
    for reference in ("env://CREDS", data(CREDS.replace("\n", "\r\n"))):
        home.context("prod", creds=reference)
        settings = home.resolve(context="prod")
        assert JWT in (revealed(settings.creds_text) or "")
        assert settings.user_described == "a user JWT"
    home.context("prod", creds=f"file://{path}")
    assert home.resolve(context="prod").user_described == "creds a.creds"
    for reference in ("env://SEED", data(f"{SEED}\n")):
        settings = home.resolve(nkey=reference)
        assert revealed(settings.nkey_seed) == SEED
        assert settings.user_described == "an nkey"
    settings = home.resolve(user_jwt=data(JWT), user_seed="env://SEED")
    assert SEED in (revealed(settings.creds_text) or "")
    home.context("prod", user="ada", password="env://SEED")
    assert who(home.resolve(context="prod")) == ("ada", SEED, None)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("scheme", ["nsc", "op", "OP"])
def test_references_that_only_the_tool_follows_are_refused_by_name_and_never_quoted(
    home: Home, place: str, scheme: str
) -> None:
    home.context("prod", **values_with(place, f"{scheme}://hunter2/item"))
    sentence = home.refusal(context="prod")
    assert f"the {place} of the nats context" in sentence
    assert f"{scheme.lower()}:// reference" in sentence
    assert "hunter2" not in sentence
    # What is stated elsewhere needs no look-up.
    assert home.resolve(context="prod", creds=home.creds()).user_described == "creds a.creds"


def test_the_older_field_for_nsc_is_refused_as_well(home: Home) -> None:
    home.context("prod", url="nats://h", nsc="hunter2/acc/user")
    sentence = home.refusal(context="prod")
    assert "nsc:// reference" in sentence
    assert "nsc generate creds" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "reference",
    ["env://hunter2", "env://", "data:hunter2", "data:,hunter2", "data:;base64,hunter2!",
     "data:;base64,/w==", "data:;base64,"],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_never_quoted(
    home: Home, place: str, reference: str
) -> None:
    if reference == "data:;base64," and place in ("password", "token"):
        return  # an empty secret is one
    home.context("prod", **values_with(place, reference))
    sentence = home.refusal(context="prod")
    assert f"the {place} of the nats context" in sentence
    assert "hunter2" not in sentence


def test_a_secret_inside_a_data_reference_is_in_no_sentence(home: Home) -> None:
    secret = data(f"{SEED} and more")
    for place in ("creds", "nkey"):
        home.context("prod", **values_with(place, secret))
        sentence = home.refusal(context="prod")
        assert secret not in sentence
        assert secret.partition(",")[2][:12] not in sentence
        assert SEED not in sentence


def test_unknown_references_to_files_are_refused_but_never_quoted(home: Home) -> None:
    sentence = home.refusal(creds="vault://hunter2")
    assert "a reference of a kind that natster-tui does not know" in sentence
    assert "hunter2" not in sentence
    sentence = home.refusal(tls_ca=data("hunter2"))
    assert sentence == "--tls-ca must be a file: give its path"


def test_a_file_that_a_reference_names_and_that_is_missing_is_named(home: Home) -> None:
    assert "/none/secret, named by --token, cannot be read" in home.refusal(
        token="file:///none/secret"
    )
