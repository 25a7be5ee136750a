"""Made-up payloads: ids, tokens and credentials that look right and open nothing."""

from __future__ import annotations

import json
from random import Random

from natster_tui.demo.members import Account, WebIdentity
from natster_tui.projections.account import CONTEXT_FIELDS, BoundContext

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CREDS = """\
-----BEGIN NATS USER JWT-----
{jwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""


def initialized_payload(account: Account) -> bytes:
    """The payload of a `natster_initialized`."""
    return json_bytes(
        {
            "account_id": account.account_id,
            "account_name": account.name,
            "account_key": account.key,
        }
    )


def binding_payload(account: Account, draw: Random) -> bytes:
    """The payload of a `context_bound`: the account's identity is kept, its secrets are new."""
    identity = account.identity
    if identity is None:
        oauth_id = (
            f"github|{draw.randint(100_000, 99_999_999)}"
            if draw.random() < 0.6
            else f"google-oauth2|1{_made_up(draw, '0123456789', 20)}"
        )
        identity = account.identity = WebIdentity(
            oauth_id, made_up_id(draw), made_up_id(draw), made_up_id(draw)
        )
    values = {
        "team_id": identity.team_id,
        "system_id": identity.system_id,
        "account_id": account.account_id,
        "account_name": account.name,
        "account_public_key": account.key,
        "access_token": f"demo_uat_{_made_up(draw, _LETTERS, 40)}",
        "user_id": identity.user_id,
        "creds": _CREDS.format(
            jwt=".".join(_made_up(draw, _LETTERS, length) for length in (36, 180, 86)),
            seed=f"SU{_made_up(draw, _BASE32, 56)}",
        ),
    }
    fields = [values[name] for name in CONTEXT_FIELDS]
    return json_bytes(BoundContext.of(identity.oauth_id, fields).as_document())


def made_up_id(draw: Random) -> str:
    """An id of 27 letters and digits, as Synadia Cloud gives them."""
    return _made_up(draw, _LETTERS, 27)


def _made_up(draw: Random, alphabet: str, length: int) -> str:
    return "".join(draw.choices(alphabet, k=length))


def json_bytes(value: object) -> bytes:
    """JSON as the reference clients write it: UTF-8, without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
