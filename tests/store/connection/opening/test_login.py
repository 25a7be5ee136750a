"""Logging in to real servers with all kinds of credentials."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import nkeys
import pytest

from natster_tui.errors import ServerError
from natster_tui.store.connection.link import Link
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.options import ConnectionFlags
from natster_tui.store.settings.resolve import resolve_connection
from tests.real_server import RealServer
from tests.user_jwts import KeyPair, Operator

OPERATOR = Operator()
NKEY = KeyPair(nkeys.PREFIX_BYTE_USER)


@pytest.fixture(scope="module")
def by_jwt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server that knows users by JWTs."""
    server = RealServer(tmp_path_factory.mktemp("jwt"), extra=OPERATOR.server_config)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def by_nkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server that knows one user by its nkey."""
    extra = f"authorization: {{ users: [ {{ nkey: {NKEY.public} }} ] }}"
    server = RealServer(tmp_path_factory.mktemp("nkey"), extra=extra)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def by_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server that knows one token."""
    extra = 'authorization: { token: "t0ken" }'
    server = RealServer(tmp_path_factory.mktemp("token"), extra=extra)
    server.start()
    yield server
    server.stop()


def resolved(environ: dict[str, str] | None = None, **flags: str) -> ConnectionSettings:
    found = resolve_connection(ConnectionFlags.model_validate(flags), environ or {})
    assert found is not None
    return found


async def answers(settings: ConnectionSettings) -> bool:
    """Whether we are let in, and JetStream answers."""
    link = await Link.open(settings)
    try:
        await link.client.flush()
        return not link.is_lost
    finally:
        await link.close()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "  \r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
async def test_a_credentials_file_logs_in_whatever_its_line_ends(
    by_jwt: RealServer, tmp_path: Path, line_end: str, mark: str
) -> None:
    file = tmp_path / "user.creds"
    file.write_bytes(f"{mark}{OPERATOR.user_credentials()}".replace("\n", line_end).encode())
    assert await answers(resolved(server=by_jwt.url, creds=str(file)))


async def test_credentials_log_in_by_reference(by_jwt: RealServer) -> None:
    text = OPERATOR.user_credentials()
    data = f"data:;base64,{base64.b64encode(text.encode()).decode()}"
    assert await answers(resolved(server=by_jwt.url, creds=data))
    assert await answers(resolved({"MINE": text}, server=by_jwt.url, creds="env://MINE"))


async def test_a_user_jwt_logs_in_with_its_seed_or_as_a_bearers(by_jwt: RealServer) -> None:
    jwt, bearer = OPERATOR.user_jwt(), OPERATOR.user_jwt(bearer=True)
    seed = OPERATOR.user.seed
    assert await answers(resolved(server=by_jwt.url, user_jwt=jwt, user_seed=seed))
    assert await answers(resolved(server=by_jwt.url, user_jwt=bearer))
    with pytest.raises(ServerError, match="refused these credentials"):
        await answers(resolved(server=by_jwt.url, user_jwt=jwt))


async def test_an_nkey_logs_in_from_a_file_or_by_reference(
    by_nkey: RealServer, tmp_path: Path
) -> None:
    file = tmp_path / "user.nk"
    file.write_bytes(f"\ufeff{NKEY.seed}  \r\n".encode())
    assert await answers(resolved(server=by_nkey.url, nkey=str(file)))
    assert await answers(resolved({"MINE": NKEY.seed}, server=by_nkey.url, nkey="env://MINE"))


async def test_a_token_logs_in_from_wherever_it_is_named(by_token: RealServer) -> None:
    host = by_token.url.removeprefix("nats://")
    assert await answers(resolved({"NATS_TOKEN": "t0ken", "NATS_URL": host}))
    assert await answers(resolved({"NATS_USER": "t0ken"}, server=host))
    assert await answers(resolved(server=f"t0ken@{host}"))
    assert await answers(resolved({"MINE": "t0ken\n"}, server=host, token="env://MINE"))
    with pytest.raises(ServerError, match="refused these credentials"):
        await answers(resolved(server=host, token="other"))
