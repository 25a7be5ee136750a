"""Looking at a stream's consumers: who reads it, and how much matches a filter."""

from __future__ import annotations

import secrets
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from natster_tui.errors import ApiError, ServerError
from natster_tui.store.connection.answers.consumers import ConsumerInfoAnswer, ConsumerListAnswer
from natster_tui.store.connection.answers.streams import DoneAnswer
from natster_tui.store.connection.api_codes import CONSUMER_NOT_FOUND, STREAM_NOT_FOUND
from natster_tui.store.connection.link import Link
from natster_tui.text.masking import screen_text

DELETE_S = 2.0
"""How long leaving may take where a server does not answer."""


@dataclass(frozen=True, slots=True)
class ConsumerInfo:
    """A consumer: its name, how much it was delivered, and how many requests wait for more.

    `last_active_ns` is the time of its last delivery in nanoseconds, 0 if never. `position` is
    the newest stream sequence that it was delivered, `ack_floor` the one up to which all are
    acknowledged. `pending` counts the messages that are still to come, `unacknowledged` those
    that came and were not acknowledged, and `redelivered` those of them that came again.
    """

    name: str
    delivered: int
    waiting: int
    last_active_ns: int
    is_ours: bool
    position: int = 0
    ack_floor: int = 0
    pending: int = 0
    unacknowledged: int = 0
    redelivered: int = 0
    is_listened_to: bool = False
    filters: tuple[str, ...] = ()

    @property
    def is_asking(self) -> bool:
        """Whether a program is there that takes what comes: a request waits, or it listens."""
        return self.waiting > 0 or self.is_listened_to

    @property
    def described(self) -> str:
        """For a person: another dashboard, or another program."""
        return "another dashboard" if self.is_ours else "another program"


async def list_consumers(link: Link, stream: str) -> tuple[ConsumerInfo, ...]:
    """All consumers of a stream."""
    found: list[ConsumerInfo] = []
    while True:
        answer = await link.ask(
            f"CONSUMER.LIST.{stream}", ConsumerListAnswer, {"offset": len(found)}
        )
        page = answer.consumers or ()
        found += map(_consumer_info, page)
        if not page or len(found) >= answer.total:
            return tuple(found)


async def consumer_named(link: Link, stream: str, name: str) -> ConsumerInfo | None:
    """One consumer of a stream, None if there is none of this name."""
    verb = f"CONSUMER.INFO.{stream}.{name}"
    if denied := link.denial_of(link.api_subject(verb)):
        # Whoever watches asks every second; the server logs each request that it denies.
        raise denied
    try:
        answer = await link.ask(verb, ConsumerInfoAnswer)
    except ApiError as error:
        if error.code in (CONSUMER_NOT_FOUND, STREAM_NOT_FOUND):
            return None
        raise
    if answer.name != name:
        raise link.malformed(verb, "it describes another consumer")
    return _consumer_info(answer)


def _consumer_info(consumer: ConsumerInfoAnswer) -> ConsumerInfo:
    config = consumer.config
    one = (config.filter_subject,) if config.filter_subject else ()
    return ConsumerInfo(
        screen_text(consumer.name, 120),
        consumer.delivered.consumer_seq,
        consumer.num_waiting,
        consumer.delivered.last_active_ns or 0,
        "natster-tui" in (config.metadata or {}),
        consumer.delivered.stream_seq,
        consumer.ack_floor.stream_seq,
        consumer.num_pending,
        consumer.num_ack_pending,
        consumer.num_redelivered,
        consumer.push_bound,
        config.filter_subjects or one,
    )


async def delete_consumer(link: Link, stream: str, name: str) -> None:
    """Delete a consumer; one that is gone already is no matter. Only where it was asked for."""
    try:
        await link.ask(f"CONSUMER.DELETE.{stream}.{name}", DoneAnswer)
    except ApiError as error:
        if error.code != CONSUMER_NOT_FOUND:
            raise


async def delete_consumers(link: Link, consumers: AbstractSet[tuple[str, str]]) -> None:
    """Delete consumers of ours, given by stream and name; one that is gone is no matter.

    What cannot be deleted now, because the link is lost or the server does not answer, stays
    among the link's consumers: whoever opens the next link may delete it over that.
    """
    for stream, name in sorted(consumers):
        if link.is_lost:
            return
        try:
            await link.ask(f"CONSUMER.DELETE.{stream}.{name}", DoneAnswer, timeout=DELETE_S)
        except ApiError:
            """It, or its whole stream, is gone already."""
        except ServerError:
            continue
        link.consumers.discard((stream, name))


async def count_matching(link: Link, stream: str, subject_filter: str) -> int:
    """How many messages of a stream match one wildcard filter, as the server counts them."""
    name = f"natster-tui-count-{secrets.token_hex(5)}"
    answer = await link.ask(
        f"CONSUMER.CREATE.{stream}.{name}.{subject_filter}",
        ConsumerInfoAnswer,
        {
            "stream_name": stream,
            "config": {
                "name": name,
                "ack_policy": "none",
                "deliver_policy": "all",
                "filter_subject": subject_filter,
                "mem_storage": True,
                "num_replicas": 1,
                "inactive_threshold": 1_000_000_000,
                "metadata": {"natster-tui": "count"},
            },
        },
    )
    await link.leave(delete_consumers(link, {(stream, name)}))
    return answer.num_pending
