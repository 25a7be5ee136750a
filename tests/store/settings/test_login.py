from __future__ import annotations

import pytest

from natster_tui.errors import ServerError
from natster_tui.store.connection.opening.login import login
from natster_tui.store.settings.credentials import Credentials
from natster_tui.store.settings.secrets import revealed
from tests.store.settings.home import CREDS, JWT, SEED, Home, who


def test_a_user_without_a_password_is_a_token(home: Home) -> None:
    home.environ["NATS_USER"] = "s3cr3t"
    settings = home.resolve()
    assert who(settings) == (None, None, "s3cr3t")
    assert settings.user_described == "a token"


def test_a_user_of_a_context_stays_a_user_without_a_password(home: Home) -> None:
    home.context("prod", user="ada")
    settings = home.resolve(context="prod")
    assert who(settings) == ("ada", "", None)


def test_a_password_may_come_from_elsewhere_but_never_another_users(home: Home) -> None:
    home.environ["NATS_PASSWORD"] = "p"
    assert who(home.resolve(user="ada")) == ("ada", "p", None)
    home.environ["NATS_USER"] = "bob"
    assert who(home.resolve(user="ada")) == (None, None, "ada")
    home.context("prod", user="eve", password="q")
    assert who(home.resolve(context="prod", password="r")) == ("eve", "r", None)
    assert who(home.resolve(context="prod")) == ("eve", "q", None)


def test_a_password_without_a_user_is_a_mistake_as_a_flag_only(home: Home) -> None:
    assert "--user" in home.refusal(password="p")
    home.environ.update(NATS_PASSWORD="p", NATS_URL="nats://h")
    assert home.resolve().user_described == "anonymous"


def test_contradicting_flags_are_refused(home: Home) -> None:
    assert "--user and --creds" in home.refusal(creds=home.creds(), user="ada", password="p")
    assert "--user and --token" in home.refusal(token="t", user="ada")


def test_user_information_in_a_url_counts_and_is_taken_out_of_it(home: Home) -> None:
    settings = home.resolve(server="nats://ada:l%40ve@h1:1, nats://h2")
    assert settings.servers == ("nats://h1:1", "nats://h2:4222")
    assert who(settings) == ("ada", "l@ve", None)
    assert who(home.resolve(server="nats://t0ken@h")) == (None, None, "t0ken")
    assert home.resolve(server="nats://ada@h", password="p").user == "ada"
    assert home.resolve(server="nats://a:b@h", creds=home.creds()).user is None


def test_urls_that_name_different_users_each_keep_their_own(home: Home) -> None:
    settings = home.resolve(server="nats://a:b@h1,nats://c:d@h2,nats://t0ken@h3,nats://h4")
    at = [who(settings.at(server)) for server in settings.servers]
    assert at == [("a", "b", None), ("c", "d", None), (None, None, "t0ken"), (None, None, None)]
    assert settings.user_described == "a or c or a token"
    # What is said beside the URLs goes before what is in them.
    assert who(home.resolve(server="nats://a:b@h1,nats://c:d@h2", user="u", password="p")) == (
        "u",
        "p",
        None,
    )


def test_the_user_in_a_url_goes_with_that_url(home: Home) -> None:
    home.context("prod", url="nats://ada:pw@prod")
    assert home.resolve(context="prod").user == "ada"
    assert home.resolve(context="prod", server="nats://h").user is None
    home.environ["NATS_CREDS"] = home.creds()
    assert home.resolve(server="nats://eve:pw@h").user == "eve"
    assert home.resolve(server="nats://h").user is None


def test_nkey_files(home: Home) -> None:
    home.environ["NATS_NKEY"] = home.write("a.nk", f"{SEED}\n")
    home.environ["NATS_URL"] = "h"
    assert home.resolve().user_described == "nkey a.nk"
    home.environ["NATS_NKEY"] = home.write("b.nk", CREDS)
    assert "give it with --creds" in home.refusal()
    home.environ["NATS_NKEY"] = home.write("c.nk", "hello")
    assert "not an nkey file" in home.refusal()


def test_a_seed_given_as_a_path_is_not_repeated(home: Home) -> None:
    sentence = home.refusal(nkey=SEED)
    assert "--nkey" in sentence
    assert SEED not in sentence


def test_a_user_jwt_and_seed_become_the_text_of_a_credentials_file(home: Home) -> None:
    home.context("prod", user_jwt=JWT, user_seed=SEED)
    settings = home.resolve(context="prod")
    text = revealed(settings.creds_text) or ""
    assert JWT in text.splitlines()
    assert SEED in text.splitlines()
    assert settings.user_described == "a user JWT"
    home.context("broken", user_jwt="hunter2", user_seed=SEED)
    assert "the user_jwt of the nats context" in home.refusal(context="broken")
    home.context("broken", user_jwt=JWT, user_seed="hunter2")
    sentence = home.refusal(context="broken")
    assert "the user_seed of the nats context" in sentence
    assert "hunter2" not in sentence


def test_a_user_jwt_alone_is_a_bearers(home: Home) -> None:
    settings = home.resolve(user_jwt=JWT)
    assert revealed(settings.bearer_jwt) == JWT
    assert settings.user_described == "a user JWT"


def test_a_token_has_a_flag_and_a_variable(home: Home) -> None:
    home.environ["NATS_TOKEN"] = "s3cr3t"
    assert who(home.resolve()) == (None, None, "s3cr3t")
    assert who(home.resolve(token="other")) == (None, None, "other")
    home.environ["NATS_USER"] = "ada"
    assert who(home.resolve()) == ("ada", "", "s3cr3t")


@pytest.mark.parametrize(
    "content",
    [
        CREDS.replace("\n", "\r\n").encode(),
        CREDS.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + CREDS.encode(),
        CREDS.encode("utf-16"),
        CREDS.replace("-----\n", "-----  \t\n").replace(SEED, f"  {SEED} ").encode(),
        CREDS.replace("-----\n", "-----\n\n").encode(),
        CREDS.strip().encode(),
        f"{JWT}\n{SEED}".encode(),
    ],
    ids=["crlf", "cr", "bom", "utf-16", "blanks", "empty lines", "no last line end", "bare"],
)
def test_credentials_are_read_whatever_their_line_ends_and_blanks(
    home: Home, content: bytes
) -> None:
    path = home.write("odd.creds", content)
    settings = home.resolve(creds=path)
    assert login(settings)["user_credentials"] == Credentials(JWT, SEED).as_file


def test_a_credentials_file_that_was_renewed_counts_at_the_next_connection(home: Home) -> None:
    path = home.creds()
    settings = home.resolve(creds=path)
    renewed = SEED.replace("B2", "C3")
    home.write("a.creds", CREDS.replace(SEED, renewed))
    assert login(settings)["user_credentials"] == Credentials(JWT, renewed).as_file
    home.write("a.creds", "")
    with pytest.raises(ServerError, match=r"a\.creds is no longer a credentials file"):
        login(settings)
    (home.path / "a.creds").unlink()
    with pytest.raises(ServerError, match=r"No such file"):
        login(settings)


@pytest.mark.parametrize(
    "content",
    [f"{SEED}\r\n", f"\ufeff{SEED}", f"  {SEED}\t\n\n", f"# the dashboard's\n{SEED}\n"],
)
def test_an_nkey_is_read_whatever_stands_around_it(home: Home, content: str) -> None:
    settings = home.resolve(nkey=home.write("a.nk", content))
    assert login(settings)["nkeys_seed_str"] == SEED
