import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from natster_tui.errors import UsageError
from natster_tui.store.settings.connection import (
    DEFAULT_SERVER,
    ConnectionFlags,
    ConnectionSettings,
    resolve_connection,
)

SEED = "SUA" + "B2" * 27 + "C"
JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5In0.eyJqdGkiOiJBIn0.c2ln-_x"
CREDS = f"""-----BEGIN NATS USER JWT-----
{JWT}
------END NATS USER JWT------

************************* IMPORTANT *************************

-----BEGIN USER NKEY SEED-----
{SEED}
------END USER NKEY SEED------
"""


class Home:
    """A home directory with nats contexts and credentials files, and the environment for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {"HOME": str(path)}

    def write(self, name: str, content: str) -> str:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        return str(file)

    def creds(self, name: str = "a.creds") -> str:
        return self.write(name, CREDS)

    def context(self, name: str, *, selected: bool = False, **values: object) -> str:
        if selected:
            self.write(".config/nats/context.txt", f"{name}\n")
        return self.write(f".config/nats/context/{name}.json", json.dumps(values))

    def resolve(self, **flags: str) -> ConnectionSettings:
        settings = resolve_connection(ConnectionFlags(**flags), self.environ)  # type: ignore[arg-type]
        assert settings is not None
        return settings

    def refusal(self, **flags: str) -> str:
        with pytest.raises(UsageError) as caught:
            self.resolve(**flags)
        assert "\n" not in caught.value.sentence
        return caught.value.sentence


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


# -- which source ------------------------------------------------------------------------------


def test_nothing_configured_means_the_embedded_server(home: Home) -> None:
    home.environ.update(NATS_URL="", NATS_CONTEXT="")
    assert resolve_connection(ConnectionFlags(), home.environ) is None


def test_flags_come_before_variables_before_the_selected_context(home: Home) -> None:
    home.context("prod", selected=True, url="nats://context:1")
    assert (home.resolve().servers, home.resolve().origin) == (
        ("nats://context:1",),
        "context prod",
    )
    home.environ["NATS_URL"] = "nats://variable:2"
    assert home.resolve().described == "nats://variable:2"
    assert home.resolve().origin == "environment"
    assert home.resolve(server="nats://flag:3").described == "nats://flag:3"
    assert home.resolve(server="nats://flag:3").origin == "flags"


def test_a_context_named_by_flag_comes_before_the_variables(home: Home) -> None:
    home.context("prod", url="nats://prod:1")
    home.context("test", url="nats://test:2")
    home.environ.update(NATS_URL="nats://variable:2", NATS_CONTEXT="test")
    assert home.resolve(context="prod").described == "nats://prod:1"
    assert home.resolve().described == "nats://variable:2"
    del home.environ["NATS_URL"]
    assert home.resolve().origin == "context test"


def test_a_flag_overrides_just_its_own_field(home: Home) -> None:
    home.context("prod", url="nats://prod:1", creds=home.creds("prod.creds"), inbox_prefix="_X")
    home.environ["NATS_CREDS"] = home.creds("env.creds")
    settings = home.resolve(server="h")
    assert settings.described == "nats://h:4222"
    assert settings.user_described == "creds env.creds"
    settings = home.resolve(context="prod", creds=home.creds("flag.creds"))
    assert settings.described == "nats://prod:1"
    assert settings.user_described == "creds flag.creds"
    assert settings.inbox_prefix == "_X"
    settings = home.resolve(context="prod", server="nats://h")
    assert settings.described == "nats://h:4222"
    assert settings.user_described == "creds prod.creds"


def test_a_merely_selected_context_never_lends_its_credentials_to_another_server(
    home: Home,
) -> None:
    home.context("prod", selected=True, url="nats://prod", user="u", password="p", ca="/none")
    settings = home.resolve(server="nats://elsewhere")
    assert settings.user_described == "anonymous"
    assert settings.tls_ca is None


def test_credentials_without_a_server_mean_the_default_server(home: Home) -> None:
    settings = home.resolve(creds=home.creds())
    assert settings.servers == (DEFAULT_SERVER,)
    assert settings.origin == "flags"
    home.environ["NATS_CREDS"] = home.creds()
    assert home.resolve().origin == "environment"


def test_credentials_without_a_server_go_with_the_selected_context(home: Home) -> None:
    home.context("prod", selected=True, url="nats://prod:1", user="u", password="p")
    settings = home.resolve(creds=home.creds("flag.creds"))
    assert settings.described == "nats://prod:1"
    assert settings.user_described == "creds flag.creds"
    assert (settings.user, settings.password) == (None, None)


# -- credentials -------------------------------------------------------------------------------


def test_a_user_without_a_password_is_a_token(home: Home) -> None:
    home.environ["NATS_USER"] = "s3cr3t"
    settings = home.resolve()
    assert (settings.user, settings.password, settings.token) == (None, None, "s3cr3t")
    assert settings.user_described == "a token"


def test_a_user_of_a_context_stays_a_user_without_a_password(home: Home) -> None:
    home.context("prod", user="ada")
    settings = home.resolve(context="prod")
    assert (settings.user, settings.password, settings.token) == ("ada", "", None)


def test_a_password_may_come_from_elsewhere_but_never_another_users(home: Home) -> None:
    home.environ["NATS_PASSWORD"] = "p"
    assert home.resolve(user="ada").password == "p"
    home.environ["NATS_USER"] = "bob"
    assert home.resolve(user="ada").token == "ada"
    home.context("prod", user="eve", password="q")
    assert home.resolve(context="prod", password="r").password == "r"
    assert home.resolve(context="prod").password == "q"


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
    assert (settings.user, settings.password) == ("ada", "l@ve")
    assert home.resolve(server="nats://t0ken@h").token == "t0ken"
    assert home.resolve(server="nats://ada@h", password="p").user == "ada"
    assert home.resolve(server="nats://a:b@h", creds=home.creds()).user is None
    assert "different users" in home.refusal(server="nats://a:b@h1,nats://c:d@h2")


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
    assert "not an nkey file" in home.refusal()


def test_a_seed_given_as_a_path_is_not_repeated(home: Home) -> None:
    sentence = home.refusal(nkey=SEED)
    assert "--nkey" in sentence
    assert SEED not in sentence


def test_a_user_jwt_and_seed_become_the_text_of_a_credentials_file(home: Home) -> None:
    home.context("prod", user_jwt=JWT, user_seed=SEED)
    settings = home.resolve(context="prod")
    assert settings.creds_text is not None
    assert JWT in settings.creds_text.splitlines()
    assert SEED in settings.creds_text.splitlines()
    assert settings.user_described == "a user JWT"
    home.context("bearer", user_jwt=JWT)
    assert "user_seed" in home.refusal(context="bearer")


# -- contexts ----------------------------------------------------------------------------------


def test_a_context_is_read_as_the_nats_tool_reads_it(home: Home) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        home.write(f"tls/{name}", "x")
    home.environ["TLS"] = "tls"
    home.creds("x/a.creds")
    home.context(
        "prod",
        description="",
        url="nats://h1:1,tls://h2",
        socks_proxy="",
        creds="~/x/a.creds",
        ca="$HOME/${TLS}/ca.pem",
        cert="~/tls/cert.pem",
        key="file://~/tls/key.pem",
        inbox_prefix="_MINE",
        jetstream_domain="hub",
        jetstream_api_prefix="ignored",
        tls_first=True,
        nkey="",
        user=None,
        color_scheme="red",
    )
    settings = home.resolve(context="prod")
    assert settings == ConnectionSettings(
        servers=("nats://h1:1", "tls://h2:4222"),
        creds=home.path / "x/a.creds",
        tls_ca=home.path / "tls/ca.pem",
        tls_cert=home.path / "tls/cert.pem",
        tls_key=home.path / "tls/key.pem",
        tls_first=True,
        inbox_prefix="_MINE",
        js_domain="hub",
        origin="context prod",
    )
    assert home.resolve(context="prod", js_api_prefix="P").js_domain is None


def test_xdg_config_home_is_where_contexts_are(home: Home) -> None:
    home.write("xdg/nats/context/prod.json", '{"url":"nats://x"}')
    home.write("xdg/nats/context.txt", "prod")
    home.environ["XDG_CONFIG_HOME"] = str(home.path / "xdg")
    assert home.resolve().described == "nats://x:4222"


def test_a_context_may_be_named_by_its_path(home: Home) -> None:
    path = home.write("elsewhere/odd.json", '{"url":"nats://x"}')
    assert home.resolve(context=path).described == "nats://x:4222"


def test_an_unknown_context_is_refused_with_those_there_are(home: Home) -> None:
    assert "--server" in home.refusal(context="nope")
    home.context("prod")
    sentence = home.refusal(context="nope")
    assert '"nope"' in sentence
    assert "choose one of prod" in sentence
    home.write(".config/nats/context.txt", "gone")
    assert "gone.json" in home.refusal()


@pytest.mark.parametrize("name", ["..", "a..b"])
def test_a_context_name_cannot_leave_the_directory(home: Home, name: str) -> None:
    assert "cannot be the name" in home.refusal(context=name)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "line 1"),
        ('{"password": "hunter2"', "line 1"),
        ("[]", "not a JSON object"),
        ('{"url": 4222}', "url is not a string"),
        ('{"tls_first": "yes"}', "tls_first"),
        ('{"windows_cert_store": "user"}', "Windows"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_context_that_cannot_be_understood_is_refused_by_file(
    home: Home, content: str, told: str
) -> None:
    path = home.write(".config/nats/context/bad.json", content)
    sentence = home.refusal(context="bad")
    assert path in sentence
    assert told in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    "values",
    [{"nsc": "nsc://op/acc/user"}, {"creds": "nsc://op/acc/user"}, {"creds": "op://vault/item"}],
)
def test_references_that_only_the_tool_follows_are_refused_unless_overridden(
    home: Home, values: dict[str, Any]
) -> None:
    home.context("prod", url="nats://h", **values)
    assert "--creds" in home.refusal(context="prod")
    assert home.resolve(context="prod", creds=home.creds()).user_described == "creds a.creds"


def test_a_reference_is_never_sent_as_a_password(home: Home) -> None:
    home.context("prod", user="ada", password="op://vault/item")
    assert "the password of the nats context" in home.refusal(context="prod")
    assert home.resolve(context="prod", password="p").password == "p"


# -- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda home: str(home.path / "missing.creds"), "No such file"),
        (lambda home: str(home.path), "is not a file"),
        (lambda home: home.write("x.creds", "hello"), "not a credentials file"),
        (lambda home: home.write("x.creds", CREDS.replace(SEED, "")), "not a credentials file"),
        (lambda home: home.write("x.creds", CREDS.replace(JWT, "")), "not a credentials file"),
        (lambda _home: "a\0b", "not a path"),
    ],
)
def test_a_bad_credentials_file_is_refused_by_name(
    home: Home, make: Callable[[Home], str], told: str
) -> None:
    named = make(home)
    sentence = home.refusal(creds=named)
    assert told in sentence
    assert named.replace("\0", "␀") in sentence
    assert "--creds" in sentence
    home.environ["NATS_CREDS"] = named
    assert "NATS_CREDS" in home.refusal()
    home.context("prod", creds=named)
    assert 'the creds of the nats context "prod"' in home.refusal(context="prod")


def test_tls_files(home: Home) -> None:
    cert, key = home.write("c.pem", "x"), home.write("k.pem", "x")
    home.environ.update(NATS_CERT=cert, NATS_KEY=key, NATS_CA=home.write("ca.pem", "x"))
    settings = home.resolve(server="tls://h")
    assert (settings.tls_cert, settings.tls_key) == (Path(cert), Path(key))
    assert settings.user_described == "certificate c.pem"
    del home.environ["NATS_KEY"]
    assert home.refusal() == "NATS_CERT is of no use alone: add --tls-key"
    assert "--tls-ca" in home.refusal(tls_ca="/nowhere.pem")


# -- addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "servers"),
    [
        ("localhost", ("nats://localhost:4222",)),
        ("localhost:5", ("nats://localhost:5",)),
        ("NATS://Demo.nats.io/", ("nats://demo.nats.io:4222",)),
        ("[::1]", ("nats://[::1]:4222",)),
        ("tls://[::1]:5,", ("tls://[::1]:5",)),
        ("wss://h/path", ("wss://h/path",)),
    ],
)
def test_server_addresses(home: Home, given: str, servers: tuple[str, ...]) -> None:
    assert home.resolve(server=given).servers == servers


@pytest.mark.parametrize(
    "given",
    ["http://h", "nats://", "nats://h:port", "nats://h:99999", "h:0", "nats://[::1", ",", "a b",
     "nats://h\x1b[31m", "nats://h,ws://h", "nats://ada:hunter2#x@h", "nats://hunter2#x@h",
     "hunter2/x@h"],
)  # fmt: skip
def test_what_is_no_server_address_is_refused(home: Home, given: str) -> None:
    sentence = home.refusal(server=given)
    assert "--server" in sentence
    assert "hunter2" not in sentence
    assert "\x1b" not in sentence


# -- what is shown -----------------------------------------------------------------------------


def test_no_secret_is_ever_in_the_representation() -> None:
    settings = ConnectionSettings(
        servers=("nats://ada:hunter2@h:1",),
        user="ada",
        password="hunter2",
        token="hunter2",
        creds_text="hunter2",
        origin="flags",
    )
    assert "hunter2" not in f"{settings!r} {settings} {settings.described}"
    assert settings.described == "nats://h:1"
    flags = ConnectionFlags(
        server="nats://a:hunter2@h", password="hunter2", token="hunter2", user_seed="hunter2"
    )
    assert "hunter2" not in repr(flags)


def test_what_is_described_is_safe_to_show() -> None:
    settings = ConnectionSettings(servers=("nats://h:1",), user="a\x1bb", password="")
    assert settings.user_described == "a␛b"
    assert settings.origin == "embedded"
