"""Looking at a stream's consumers: who reads it, and how much matches a filter."""

from __future__ import annotations

import secrets
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from natster_tui.errors import ApiError, ServerError
from natster_tui.store.connection.answers.consumers import ConsumerInfoAnswer, ConsumerListAnswer
from natster_tui.store.connection.answers.streams import DoneAnswer
from natster_tui.store.connection.link import Link
from natster_tui.text.masking import screen_text

DELETE_S = 2.0
"""How long leaving may take where a server does not answer."""


@dataclass(frozen=True, slots=True)
class ConsumerInfo:
    """A consumer: its name, how much it was delivered, and how many requests wait for more.

    `last_active_ns` is the time of its last delivery in nanoseconds, 0 if never.
    """

    name: str
    delivered: int
    waiting: int
    last_active_ns: int
    is_ours: bool

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


def _consumer_info(consumer: ConsumerInfoAnswer) -> ConsumerInfo:
    return ConsumerInfo(
        screen_text(consumer.name, 120),
        consumer.delivered.consumer_seq,
        consumer.num_waiting,
        consumer.delivered.last_active_ns or 0,
        "natster-tui" in (consumer.config.metadata or {}),
    )


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
