from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.text.masking import MASK, is_secret_name, mask_json, mask_text
from natster_tui.text.strict_json import Json, read_json

SEED = "SUA" + "B2" * 27 + "C"
JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5In0.eyJqdGkiOiJBIn0.c2ln-_x"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "name",
    [
        "access_token", "accessToken", "ACCESS-TOKEN", "token", "tokens", "authToken", "creds",
        "user_creds", "credential", "Credentials", "secret", "clientSecret", "password", "passwd",
        "Passphrase", "pass", "db_pwd", "seed", "userSeed", "USER_SEED", "jwt", "userJWT",
        "private_key", "privateKey", "PRIVATE KEY", "api-key", "apiKey", "APIKey", "x-api-key",
        "Authorization", "to\u200bken", "ｔｏｋｅｎ",
    ],
)  # fmt: skip
def test_secret_names(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "account_id", "account_name", "account_public_key", "account_key", "team_id", "system_id",
        "user_id", "oauth_id", "bound_context", "catalog", "initialized_at", "compass", "passenger",
        "bypassed", "see", "Nats-Msg-Id", "author", "key", "",
    ],
)  # fmt: skip
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)


def test_a_bound_context_loses_its_secrets_and_keeps_its_order() -> None:
    context = read_json(
        b'{"oauth_id":"github|a","bound_context":{"team_id":"t","account_public_key":"AB",'
        b'"access_token":"x","user_id":"u","creds":"y"}}'
    )
    masked = mask_json(context)
    assert masked == {
        "oauth_id": "github|a",
        "bound_context": {
            "team_id": "t",
            "account_public_key": "AB",
            "access_token": MASK,
            "user_id": "u",
            "creds": MASK,
        },
    }
    assert isinstance(masked, dict)
    assert list(masked) == ["oauth_id", "bound_context"]


@pytest.mark.parametrize("value", [True, "12", ["a"], {"a": "b"}, [], {}])
def test_a_secret_of_any_type_is_masked(value: Json) -> None:
    assert mask_json({"token": value}) == {"token": MASK}


def test_numbers_stay_unless_they_are_secret() -> None:
    assert mask_json(read_json(b'{"pin_token":123,"n":1e400}')) == {"pin_token": MASK, "n": "1e400"}


@pytest.mark.parametrize("value", [None, ""])
def test_null_and_empty_values_are_not_masked(value: Json) -> None:
    assert mask_json({"token": value}) == {"token": value}


def test_secrets_are_found_in_lists_strings_and_names() -> None:
    assert mask_json([{"note": f"use {SEED}!"}, JWT]) == [{"note": f"use {MASK}!"}, MASK]
    assert mask_json({JWT: "1", SEED: "2", "a": "3"}) == {MASK: "1", f"{MASK}·1": "2", "a": "3"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (SEED, MASK),
        (f"seed={SEED}\n", f"seed={MASK}\n"),
        (f"x{SEED}y", f"x{MASK}y"),
        (JWT, MASK),
        (f"Bearer {JWT}, thanks", f"Bearer {MASK}, thanks"),
        (f"jwt_{JWT}", f"jwt_{MASK}"),
        (f"a.b.{JWT}", f"a.b.{MASK}"),
        (JWT.rpartition(".")[0][:50], MASK),
        ("nats://ada:lovelace@host:4222", f"nats://ada:{MASK}@host:4222"),
        ("nats://ada:l@ve/lace,@host", f"nats://ada:{MASK}@host"),
        ("nats://a:b@h1,nats://c:d@h2", f"nats://a:{MASK}@h1,nats://c:{MASK}@h2"),
        ("nats://s3cr3t@host", f"nats://{MASK}@host"),
        ('{"url":"https://u:p@h/x"}', f'{{"url":"https://u:{MASK}@h/x"}}'),
        (f"key {PEM} end", f"key {MASK} end"),
        (PEM[:40], MASK),
    ],
)
def test_secrets_inside_text(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "ACB4IHEQUFRUCXWIRYYRVZAUX3TMLOMAS6TLB5DHEMYXEMFXLIV72462",
        "nats://127.0.0.1:4222",
        "ssh://git@github.com/x",
        "https://medium.com/@someone",
        "mail ada@example.org or see demo.nats.io.",
        "eyJ alone",
        "eyJhbGciOiJlZDI1NTE5In0",
        "natster.events.A.none.none.context_bound",
        "",
    ],
)
def test_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert mask_text(text) == text


@given(st.text(), st.text())
def test_a_seed_is_masked_anywhere_in_a_text(before: str, after: str) -> None:
    assert SEED not in mask_text(before + SEED + after)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "eyJ" * n,
        lambda n: "a." + "eyJ" * n,
        lambda n: "eyJ." * n,
        lambda n: "a://b:" * n + "@",
        lambda n: "://" * n + "@" * n,
        lambda n: "SA" * n,
        lambda n: ("S" + "A" * 56 + " ") * (n // 20),
        lambda n: "-----BEGIN " * n + "PRIVATE KEY-----",
        lambda n: "-" * n + "PRIVATE KEY-----",
    ],
)
@pytest.mark.timeout(20)
def test_the_time_it_takes_grows_with_the_text_and_not_faster(make: Callable[[int], str]) -> None:
    # Done in a fraction of a second; quadratic growth would take minutes at this size.
    text = make(200_000)
    assert len(mask_text(text)) <= len(text)
