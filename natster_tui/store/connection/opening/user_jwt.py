"""When a user's JWT runs out, which a server that refuses it does not say."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from natster_tui.store.settings.connection import ConnectionSettings

_JWT = re.compile(r"BEGIN NATS USER JWT-+\s+[\w-]+\.([\w-]+)\.[\w-]+")
_LATEST = 253_402_300_799  # the end of the year 9999


class _Claims(BaseModel):
    """The part of a JWT that is read; `exp` is in unix seconds, 0 for a JWT without an end."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)
    exp: Annotated[int, Field(ge=0, le=_LATEST)] = 0


def jwt_expired_since(settings: ConnectionSettings) -> datetime | None:
    """When the JWT of the credentials ran out, if there is one and it has."""
    text = settings.creds_text
    if settings.creds is not None:
        try:
            text = settings.creds.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
    found = _JWT.search(text or "")
    if found is None:
        return None
    try:
        claims = _Claims.model_validate_json(
            base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
        )
    except (ValidationError, binascii.Error, ValueError):
        return None
    end = datetime.fromtimestamp(claims.exp, UTC)
    return end if claims.exp and end < datetime.now(UTC) else None
