"""Knowing that the server has a client's subscriptions, before anything is sent to them."""

from __future__ import annotations

from nats.aio.client import Client

_OWN = "tests.own.message"


async def until_subscribed(client: Client) -> None:
    """Until the server knows of every subscription that the client has made.

    nats-py's flush may overtake what is pending; a message of one's own does not.
    """
    own = await client.subscribe(_OWN)
    await client.publish(_OWN)
    await own.next_msg(10)
    await own.unsubscribe()
