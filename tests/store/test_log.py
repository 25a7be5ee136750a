"""Creating a log."""

from __future__ import annotations

from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings


async def test_addresses_that_are_no_nodes_do_not_make_a_log_of_three_replicas(
    link: Link,
) -> None:
    link.client.info = link.info.model_copy(
        update={"connect_urls": ("10.0.0.1:4222", "10.0.0.2:4222", "[::1]:4222")}
    )
    log = await EventLog.create(link, NATSTER, LogSettings())
    assert log.info.replicas == 1
