"""A stream's consumers: who reads it, and how many messages match a filter."""

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
"""Seconds to wait for the answer to a deletion."""


@dataclass(frozen=True, slots=True)
class ConsumerInfo:
    """A consumer: its name, its deliveries, and how many requests wait for more.

    `last_active_ns` is the time of its last delivery in nanoseconds, 0 if never. `position` is
    the newest stream sequence delivered, and `ack_floor` the one up to which all are acknowledged.
    `pending` counts the messages still to deliver, `unacknowledged` those delivered but not
    acknowledged, and `redelivered` those of them delivered again.
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
        """Whether a program reads from it: a pull request waits, or a push subscriber listens."""
        return self.waiting > 0 or self.is_listened_to

    @property
    def described(self) -> str:
        """Whose it is, to show: another dashboard, or another program."""
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
    if denied := link.denials.of(link.target.request(verb)):
        # A watcher asks every second, and the server logs each denied request.
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
    """Delete a consumer that the user chose; a missing one is not an error."""
    try:
        await link.ask(f"CONSUMER.DELETE.{stream}.{name}", DoneAnswer)
    except ApiError as error:
        if error.code != CONSUMER_NOT_FOUND:
            raise


async def delete_consumers(link: Link, consumers: AbstractSet[tuple[str, str]]) -> None:
    """Delete our consumers, given by stream and name; a missing one is not an error.

    If the link is lost or the server does not answer, they stay in the link's `consumers`, and can
    be deleted over the next link.
    """
    for stream, name in sorted(consumers):
        if link.is_lost:
            return
        try:
            await link.ask(f"CONSUMER.DELETE.{stream}.{name}", DoneAnswer, timeout=DELETE_S)
        except ApiError:
            """The consumer or its stream is already gone."""
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
    await link.clean_up(delete_consumers(link, {(stream, name)}))
    return answer.num_pending
