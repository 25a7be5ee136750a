"""When a user's JWT expires. A server that refuses an expired JWT does not say why."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from natster_tui.errors import UsageError
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.credentials import find_jwt
from natster_tui.store.settings.files import read_file
from natster_tui.store.settings.secrets import revealed

_LATEST = 253_402_300_799  # the end of the year 9999


class _Claims(BaseModel):
    """The part of a JWT that is read; `exp` is in unix seconds, 0 for one that never expires."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)
    exp: Annotated[int, Field(ge=0, le=_LATEST)] = 0


def jwt_expired_since(settings: ConnectionSettings) -> datetime | None:
    """When the JWT of the credentials expired; None if it has not, or there is none."""
    jwt = _jwt_of(settings)
    if jwt is None:
        return None
    body = jwt.split(".")[1]
    try:
        claims = _Claims.model_validate_json(
            base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        )
    except (ValidationError, binascii.Error, ValueError):
        return None
    end = datetime.fromtimestamp(claims.exp, UTC)
    return end if claims.exp and end < datetime.now(UTC) else None


def _jwt_of(settings: ConnectionSettings) -> str | None:
    if settings.creds is not None:
        try:
            return find_jwt(read_file(settings.creds, "creds"))
        except UsageError:
            return None
    if settings.creds_text is not None:
        return find_jwt(settings.creds_text.get_secret_value())
    return revealed(settings.bearer_jwt)
