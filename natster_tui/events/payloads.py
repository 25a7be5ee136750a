"""The pydantic models of event payloads, and finding what is wrong with a payload.

The strict JSON reader decides first whether a payload can be read at all. A model then says
whether it has the fields that the kind needs. Folds read payloads with their own plain code,
because they read millions of them; a test checks that both give the same answer.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from natster_tui.events.event_kind import EventKind, PayloadUse
from natster_tui.text.strict_json import Json, Number, UnreadableError, read_json


class Payload(BaseModel):
    """Known fields must have their own type, others are ignored; errors never quote the input."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)


class InitializedPayload(Payload):
    """The payload of `natster_initialized`; only the name is used."""

    account_id: str = ""
    account_name: str = ""
    account_key: str = ""


class WebContext(Payload):
    """The web identity of an account; what is left out is empty."""

    team_id: str = ""
    system_id: str = ""
    account_id: str = ""
    account_name: str = ""
    account_public_key: str = ""
    access_token: str = ""
    user_id: str = ""
    creds: str = ""


class ContextBoundPayload(Payload):
    """The payload of `context_bound`: who logged in, and the context bound to the account."""

    oauth_id: Annotated[str, Field(min_length=1)]
    bound_context: WebContext


def payload_problem(kind: EventKind, payload: bytes) -> str | None:
    """Why an event of this kind would be parked for its payload, or None; quotes none of it."""
    if kind.payload is not PayloadUse.REQUIRED or kind.payload_model is None:
        return None
    model = kind.payload_model()
    try:
        model.model_validate(_as_python(read_json(payload)))
    except UnreadableError as error:
        problem = f"the payload cannot be read: {error}" if payload else "the payload is empty"
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the payload"
        problem = f"{place} {_EXPECTED.get(first['type'], 'does not fit')}"
    else:
        return None
    needed = " and ".join(name for name, each in model.model_fields.items() if each.is_required())
    return f"{kind.name} needs a payload, a JSON object with {needed}: {problem}"


_EXPECTED = {
    "missing": "is missing",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "model_type": "must be an object",
}
"""The clauses for the error types of pydantic that our models produce."""


def _as_python(value: Json) -> object:
    """The value with numbers that are not texts; the reader keeps them as they were written."""
    match value:
        case Number():
            return float(value)
        case dict():
            return {name: _as_python(item) for name, item in value.items()}
        case list():
            return [_as_python(item) for item in value]
        case _:
            return value
