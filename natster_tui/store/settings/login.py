"""Choosing credentials: those of the first source that has any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from natster_tui.errors import UsageError
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.credentials import (
    Credentials,
    find_credentials,
    find_jwt,
    find_seed,
)
from natster_tui.store.settings.files import quoted, read_file
from natster_tui.store.settings.options import Kind, Source
from natster_tui.store.settings.references import read_reference, read_text
from natster_tui.store.settings.sources import flag
from natster_tui.store.settings.urls import Servers, UserInfo


@dataclass(frozen=True, repr=False)
class Login:
    """The sources of a connection's credentials.

    `place` is the source that names the servers; their URLs may name users.
    """

    sources: Sequence[Source]
    place: Source | None
    servers: Servers
    environ: Mapping[str, str]

    def applied_to(self, settings: ConnectionSettings) -> ConnectionSettings:
        """The settings, with these credentials added. Raises UsageError."""
        for source in self.sources:
            if source.options.names_credentials:
                return self._with_stated(settings, source)
            if source is self.place and self.servers.user_info is not None:
                user_info = self.servers.user_info
                return self._with_user(settings, user_info, source, lone_is_token=True)
            if source is self.place and self.servers.users:
                return replace(
                    settings,
                    by_server=tuple(
                        (server, self._with_user(settings, user_info, source, lone_is_token=True))
                        for server, user_info in self.servers.users.items()
                    ),
                )
        return settings

    def _with_stated(self, settings: ConnectionSettings, source: Source) -> ConnectionSettings:
        """Set the credentials of a source; of several kinds, the first in the nats tool's order."""
        given = source.options.text
        if source.kind is Kind.FLAGS:
            _refuse_several_kinds(source)
        if given("token"):
            settings = replace(settings, token=self._text(source, "token"))
        if user := given("user"):
            # With a token in the source the user is a user; a lone user may be a token.
            lone_is_token = source.kind is not Kind.CONTEXT and not given("token")
            user_info = UserInfo(user, None)
            return self._with_user(settings, user_info, source, lone_is_token=lone_is_token)
        if given("creds"):
            return self._with_creds(settings, source)
        if given("nkey"):
            return self._with_nkey(settings, source)
        if given("user_jwt"):
            return self._with_jwt(settings, source)
        return settings

    def _with_user(
        self,
        settings: ConnectionSettings,
        user_info: UserInfo,
        owner: Source,
        *,
        lone_is_token: bool,
    ) -> ConnectionSettings:
        """Set a user, and the first password that any source has for it."""
        user = user_info.user
        for source in self.sources:
            password = None
            if source.options.password and source.options.text("user") in ("", user):
                password = self._text(source, "password")
            elif source is owner:
                password = user_info.password
            if password is not None:
                return replace(settings, user=user, password=password)
        if lone_is_token:
            return replace(settings, token=user)
        return replace(settings, user=user, password="")

    def _with_creds(self, settings: ConnectionSettings, source: Source) -> ConnectionSettings:
        called = source.call("creds")
        found = read_reference(source.options.text("creds"), called, self.environ)
        content = read_file(found, called) if isinstance(found, Path) else found
        credentials = find_credentials(content)
        if credentials is None:
            raise UsageError(
                f"{_place(found, called)} is not a credentials file: it needs a user's JWT and "
                "seed, as `nsc generate creds` writes them"
            )
        if isinstance(found, Path):
            return replace(settings, creds=found)
        return replace(settings, creds_text=credentials.as_file)

    def _with_nkey(self, settings: ConnectionSettings, source: Source) -> ConnectionSettings:
        called = source.call("nkey")
        found = read_reference(source.options.text("nkey"), called, self.environ)
        content = read_file(found, called) if isinstance(found, Path) else found
        seed = find_seed(content)
        if find_jwt(content) is not None:
            raise UsageError(
                f"{_place(found, called)} is not an nkey file but a credentials file: give it "
                "with --creds"
            )
        if seed is None:
            raise UsageError(
                f"{_place(found, called)} is not an nkey file: it needs a line with a user's "
                "seed (SU…)"
            )
        if isinstance(found, Path):
            return replace(settings, nkey=found)
        return replace(settings, nkey_seed=seed)

    def _with_jwt(self, settings: ConnectionSettings, source: Source) -> ConnectionSettings:
        """Set a user JWT and its seed from the same source; a bearer JWT needs no seed."""
        jwt = find_jwt(self._text(source, "user_jwt"))
        if jwt is None:
            raise UsageError(f"{source.call('user_jwt')} is not a user's JWT (eyJ…)")
        if not source.options.user_seed:
            return replace(settings, bearer_jwt=jwt)
        seed = find_seed(self._text(source, "user_seed"))
        if seed is None:
            raise UsageError(f"{source.call('user_seed')} is not a user's seed (SU…)")
        return replace(settings, creds_text=Credentials(jwt, seed).as_file)

    def _text(self, source: Source, option: str) -> str:
        return read_text(source.options.text(option), source.call(option), self.environ)


def _refuse_several_kinds(source: Source) -> None:
    """Refuse contradicting flags. Contradicting variables may be meant for other programs."""
    given = source.options.text
    kinds = [name for name in ("user", "creds", "nkey", "user_jwt") if given(name)]
    if given("user") and given("token"):
        kinds.append("token")
    if len(kinds) > 1:
        raise UsageError(f"{' and '.join(map(flag, kinds))} exclude each other: give one")


def _place(found: Path | bytes, called: str) -> str:
    """The source of credentials, for messages: the path, but never a reference."""
    return f"{quoted(found)}, named by {called}," if isinstance(found, Path) else called
