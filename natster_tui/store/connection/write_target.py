"""Which JetStream a connection uses, and the subjects that its messages are published to.

A stream stores a message under a plain subject (`natster.events.…`, `$KV.<bucket>.<key>`). With a
JetStream domain or API prefix, the same message is published below it
(`$JS.<domain>.API.$KV.…`, `<prefix>.natster.events.…`), and a mapping in that domain, or an import
of the account, removes the prefix. Published to the plain subject, it would be stored by the local
JetStream, or by two at once. Expectations (`Nats-Expected-Last-Subject-Sequence-Subject`) and reads
use the plain subject.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NewType

from natster_tui.errors import MisplacedWriteError
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.text.masking import screen_text

PublishedSubject = NewType("PublishedSubject", str)
"""A subject as sent to the server. Only a `WriteTarget` makes one."""

PLAIN_PREFIX = "$JS.API"

_DOMAIN_PREFIX = re.compile(r"\$JS\.([^.]+)\.API")


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """The JetStream below an API prefix; `PLAIN_PREFIX` is the local one."""

    prefix: str = PLAIN_PREFIX

    @classmethod
    def of(cls, settings: ConnectionSettings) -> WriteTarget:
        """The one that the settings name, by its prefix or else by its domain."""
        if settings.js_api_prefix:
            return cls(settings.js_api_prefix.removesuffix(".").removesuffix(">").removesuffix("."))
        return cls(f"$JS.{settings.js_domain}.API" if settings.js_domain else PLAIN_PREFIX)

    @property
    def is_plain(self) -> bool:
        """Whether neither a domain nor a prefix is given."""
        return self.prefix == PLAIN_PREFIX

    @property
    def domain(self) -> str:
        """The domain in the prefix; empty for a prefix of another form."""
        named = _DOMAIN_PREFIX.fullmatch(self.prefix)
        return named[1] if named else ""

    def described_at(self, server: str) -> str:
        """A server's address and the JetStream used there, to show."""
        if self.is_plain:
            return server
        named = f"domain {self.domain}" if self.domain else f"API prefix {self.prefix}"
        return f"{server} (JetStream {screen_text(named, 80)})"

    def request(self, verb: str) -> PublishedSubject:
        """The subject of a request to JetStream (`STREAM.INFO.X`)."""
        return PublishedSubject(f"{self.prefix}.{verb}")

    def stored(self, subject: str) -> PublishedSubject:
        """The subject to publish to, for a stream that stores the message under `subject`."""
        return PublishedSubject(subject if self.is_plain else f"{self.prefix}.{subject}")


class Destination(Enum):
    """Where a published message would be stored."""

    THE_STREAM = auto()
    NONE = auto()
    ANOTHER = auto()
    NAMESAKE = auto()
    """One of the same name, in another account or domain."""
    SEVERAL = auto()


def destination_of(stream: str, answered: tuple[str, ...]) -> Destination:
    """The destination of a message for a stream, by the streams that answered a probe for it."""
    match answered:
        case ():
            return Destination.NONE
        case (only,):
            return Destination.THE_STREAM if only == stream else Destination.ANOTHER
        case _:
            return Destination.SEVERAL


def probe_subject(subject: str, token: str) -> str:
    """The subject of a probe for a subject.

    An event's kind is replaced by `token`, so that plain subscribers do not take a probe for an
    event. A bucket's key stays, because entries are read only from the stream.
    """
    return subject if subject.startswith("$KV.") else f"{subject.rpartition('.')[0]}.{token}"


def accepts(subjects: Iterable[str], subject: str) -> bool:
    """Whether a stream with these subjects, which may hold wildcards, stores a subject."""
    return any(_matches(each.split("."), subject.split(".")) for each in subjects)


def overlap(one: str, other: str) -> bool:
    """Whether some subject matches both; each may hold wildcards."""
    ours, theirs = one.split("."), other.split(".")
    for mine, its in zip(ours, theirs, strict=False):
        if ">" in (mine, its):
            return True
        if "*" not in (mine, its) and mine != its:
            return False
    return len(ours) == len(theirs)


def _matches(pattern: list[str], tokens: list[str]) -> bool:
    if pattern[-1] == ">":
        return len(tokens) >= len(pattern) and _matches(pattern[:-1], tokens[: len(pattern) - 1])
    return len(pattern) == len(tokens) and all(
        each in ("*", token) for each, token in zip(pattern, tokens, strict=True)
    )


def refused_write(
    destination: Destination,
    target: WriteTarget,
    stream: str,
    subject: str,
    answered: tuple[str, ...] = (),
    server_domain: str = "",
) -> MisplacedWriteError:
    """The error for a write that was not sent, with what is missing.

    `subject` is the plain one, `server_domain` the domain of the server that we are connected to.
    """
    named, family = screen_text(stream, 80), _family(subject)
    match destination:
        case Destination.NONE:
            problem = (
                f"{_no_stream(target, family, server_domain)} {_remedy(target, named, family)}"
            )
            if target.domain and target.domain == server_domain:
                problem += ", or leave the domain out: it is this server's own"
        case Destination.ANOTHER:
            other = screen_text(", ".join(answered) or "another stream", 200)
            problem = f"{family} is stored by {other} here, and not by {named}: "
            problem += "check --stream" if target.is_plain else _where_it_is_routed(target)
        case Destination.NAMESAKE:
            problem = f"{family} is stored by another {named} than the one that is shown: "
            problem += _where_it_is_routed(target)
            if target.is_plain and server_domain:
                problem += ", and connect with the JetStream domain that is meant (--js-domain)"
        case _:
            names = screen_text(", ".join(answered), 200)
            problem = (
                f"{len(answered)} streams would store {family} ({names}): keep it from crossing "
                "the leaf node connection (deny_imports and deny_exports of its remote)"
            )
            if target.is_plain and server_domain:
                problem += ", or connect with the JetStream domain that is meant (--js-domain)"
    return MisplacedWriteError(f"nothing was written: {problem}")


def misplaced_write(
    what: str, target: WriteTarget, meant: tuple[str, str], acknowledged: tuple[str, str]
) -> MisplacedWriteError:
    """The error for a write stored elsewhere. Each pair is a stream and its domain, or empty."""
    (stream, domain), (other, other_domain) = meant, acknowledged
    where = _in_domain(other, other_domain if domain != other_domain or other == stream else "")
    return MisplacedWriteError(
        f"{what} was stored by {where}, and not by {_in_domain(stream, domain)}, which is shown: "
        f"{_where_it_is_routed(target)}, and remove it there"
    )


def stored_by_namesake(what: str, target: WriteTarget, stream: str) -> MisplacedWriteError:
    """The error for a write stored by another account's stream of the same name."""
    return MisplacedWriteError(
        f"{what} was stored by another {screen_text(stream, 80)} than the one that is shown: "
        f"{_where_it_is_routed(target)}, and remove it there"
    )


def renamed_event(seq: int, subject: str, stored: str) -> MisplacedWriteError:
    """The error for an event that was stored on another subject than it was published on."""
    return MisplacedWriteError(
        f"event {seq:,} was published on {screen_text(subject, 200)} and stored on "
        f"{screen_text(stored, 200)}, so that it is another event: remove the subject mapping of "
        "the account, or of its import"
    )


def unreachable_jetstream(target: WriteTarget, where: str, user: str) -> str:
    """The sentence if JetStream does not answer; `where` and `user` describe the connection."""
    if target.is_plain:
        return f"{where} has no JetStream for {user}: enable it on the server and for the account"
    if target.domain:
        return (
            f"{where} reaches no JetStream domain {screen_text(target.domain, 80)} for {user}: "
            "check the name of the domain, and whether the leaf node connection to it is up"
        )
    prefix = screen_text(target.prefix, 80)
    return (
        f"at {where} nothing answers below the JetStream API prefix {prefix} for {user}: check "
        f"the prefix, and that the account imports the owner's $JS.API.> as {prefix}.>"
    )


def _no_stream(target: WriteTarget, family: str, server_domain: str) -> str:
    if target.domain:
        return f"no stream in the JetStream domain {screen_text(target.domain, 80)} takes {family}:"
    if not target.is_plain:
        return f"no stream takes {family} below the API prefix {screen_text(target.prefix, 80)}:"
    inside = f" in the JetStream domain {screen_text(server_domain, 80)}" if server_domain else ""
    return f"no stream{inside} takes {family}:"


def _remedy(target: WriteTarget, stream: str, family: str) -> str:
    prefix = screen_text(target.prefix, 80)
    if target.domain:
        return f"map {prefix}.{family} to {family} in the account that holds {stream}"
    if not target.is_plain:
        return (
            f"import natster.events.> and $KV.> as {prefix}.natster.events.> and {prefix}.$KV.> "
            f"from the account that holds {stream}"
        )
    return f"check the subjects of {stream}"


def _where_it_is_routed(target: WriteTarget) -> str:
    if target.is_plain:
        return "check which streams take its subject"
    if target.domain:
        return f"check the mappings of {screen_text(target.prefix, 80)}.>"
    return f"check the imports below {screen_text(target.prefix, 80)}"


def _in_domain(stream: str, domain: str) -> str:
    named = screen_text(stream, 80)
    return f"{named} in the domain {screen_text(domain, 80)}" if domain else named


def _family(subject: str) -> str:
    """The subjects that are mapped or imported together with this one."""
    return "$KV.>" if subject.startswith("$KV.") else ".".join(subject.split(".")[:2]) + ".>"
