"""The story of the made-up community: the endless sequence of its events.

It has no times: `history_times` adds them to the events of a history.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from random import Random

from natster_tui.demo.cast import CAST, LONGEST_NAME, PLACES, STUDIO, AccountKind, slug_of
from natster_tui.demo.history_times import Pace
from natster_tui.demo.members import Account, Catalog, Share, befriend
from natster_tui.demo.payloads import binding_payload, initialized_payload, made_up_id
from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.natster import NATSTER, EventType

HUB_NAME = "Natster Hub"
HUB_CATALOG = "natsterhub"


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """An event of the story; `pace` says how soon it follows the one before it."""

    subject: str
    payload: bytes
    pace: Pace


@dataclass(slots=True)
class Scene:
    """Something out of the ordinary, due at an event number.

    `stage` returns in how many events it is due again, or None if the community isn't ready.
    """

    stage: Callable[[], int | None]
    due: int


class Story:
    """The community's present state, and its next events.

    Each plan (a new account, several shares, a late import …) changes the state first and then
    queues its events. So no plan starts from a state that queued events would still change.
    """

    def __init__(self, seed: int) -> None:
        # A text as seed: Random takes the absolute value of a number, so -7 would be the same as 7.
        self.draw = Random(f"community {seed}")  # noqa: S311 - a story, not a secret
        self._events_given = 0
        self._queued: deque[PlannedEvent] = deque()
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._agenda_entries = 0
        self._cast = self.draw.sample(CAST, len(CAST))
        self._people_made = 0
        self.members: list[Account] = []
        self._eagerness: list[float] = []
        self.catalogs: list[Catalog] = []
        self._names_taken: set[str] = {HUB_CATALOG}
        self._names_numbered = 0
        self._active: list[Share] = []
        self._hub = self._account(HUB_NAME, "hub", STUDIO)
        self._hub_catalog = Catalog(HUB_CATALOG, self._hub, audience=0)
        self.scenes: list[Scene] = []
        self._found_the_hub()

    def next_event(self) -> PlannedEvent:
        """The next event of the story."""
        while not self._queued:
            self._plan()
        self._events_given += 1
        return self._queued.popleft()

    def _plan(self) -> None:
        for scene in self.scenes:
            if scene.due <= self._events_given:
                scene.due = self._events_given + (scene.stage() or 5)
                return
        if self._agenda and self._agenda[0][0] <= self._events_given:
            _, _, act = heappop(self._agenda)
            act()
            return
        # The community grows quickly at first, then more slowly.
        wanted = 2.0 + 0.75 * self._events_given**0.65
        if len(self.members) < wanted and self.draw.random() < 0.6:
            self.welcome(self.new_account())
        elif self.draw.random() < self._tidiness():
            self._withdraw()
        else:
            self._share_something()

    def _tidiness(self) -> float:
        """The likelihood of a withdrawal; it grows with the active shares and so limits them."""
        each = len(self._active) / (len(self.members) + 1)
        return min(0.09 + each / 70, 0.5)

    def later(self, soonest: int, latest: int, act: Callable[[], None]) -> None:
        """Run `act` between `soonest` and `latest` events from now."""
        self._agenda_entries += 1
        due = self._events_given + self.draw.randint(soonest, latest)
        # The running number decides between equals: functions have no order.
        heappush(self._agenda, (due, self._agenda_entries, act))

    def queue(self, pace: Pace, subject: str, payload: bytes) -> None:
        """Add an event to those that come next."""
        self._queued.append(PlannedEvent(subject, payload, pace))

    # People

    def _found_the_hub(self) -> None:
        self.initialize(self._hub)
        # The hub greets itself too, as the reference service's does; it changes nothing.
        self._queue_hub_share(self._hub)

    def new_account(self) -> Account:
        """The next account of the cast, not yet initialized; when it ends, with places added."""
        tour, index = divmod(self._people_made, len(self._cast))
        self._people_made += 1
        kind, name = self._cast[index]
        slug = slug_of(name)
        if tour:
            again, place = divmod(tour - 1, len(PLACES))
            name += f" ({PLACES[place]}{f' {again + 1}' if again else ''})"
        return self._account(name, slug, kind)

    def _account(self, name: str, slug: str, kind: AccountKind) -> Account:
        key = encode_account_key(self.draw.randbytes(32))
        return Account(key, made_up_id(self.draw), name, slug, kind)

    def welcome(self, account: Account) -> None:
        """Initialize an account, share the hub's catalog with it, and give it friends."""
        draw = self.draw
        account.joined = True
        self.initialize(account)
        self._queue_hub_share(account)
        for friend in draw.sample(self.members, min(len(self.members), draw.randint(2, 5))):
            befriend(account, friend)
        self.members.append(account)
        so_far = self._eagerness[-1] if self._eagerness else 0.0
        self._eagerness.append(so_far + draw.paretovariate(1.6))
        when = draw.random()
        if when < 0.55:
            self.bind(account, Pace.SAME_SITTING)
        elif when < 0.85:
            self.later(6, 80, partial(self.bind, account, Pace.LATER))
        if draw.random() < 0.75:
            self.later(1, 30, partial(self._queue_import, account, self._hub_catalog))

    def initialize(self, account: Account) -> None:
        """Queue the account's initialization, under the name that it has now."""
        subject = NATSTER.subject_of(EventType.INITIALIZED, account.key)
        self.queue(Pace.LATER, subject, initialized_payload(account))

    def _queue_hub_share(self, account: Account) -> None:
        subject = NATSTER.subject_of(EventType.SHARED, self._hub.key, account.key, HUB_CATALOG)
        self.queue(Pace.AT_ONCE, subject, b"")

    def bind(self, account: Account, pace: Pace) -> None:
        """Queue a web sign-in: the identity stays the same, the secrets are new."""
        subject = NATSTER.subject_of(EventType.CONTEXT_BOUND, account.key)
        self.queue(pace, subject, binding_payload(account, self.draw))

    # Catalogs

    def _share_something(self) -> None:
        """A member shares a catalog, new or not, with a few of its friends."""
        draw = self.draw
        if not self.members:
            return
        owner = self.eager_member()
        open_ones = [one for one in owner.catalogs if len(one.shares) < one.audience]
        catalog = draw.choice(open_ones) if open_ones and draw.random() < 0.8 else None
        recipients = self._recipients(owner, catalog, 1 + min(int(draw.expovariate(0.7)), 5))
        if not recipients:
            return
        if catalog is None:
            audience = 2 + min(int(draw.expovariate(0.16)), 28)
            catalog = self.open_catalog(owner, self._new_name(owner), audience)
        self.share(catalog, recipients)

    def eager_member(self) -> Account:
        """A member; some are far more eager than others."""
        point = self.draw.random() * self._eagerness[-1]
        return self.members[bisect_left(self._eagerness, point)]

    def _recipients(self, owner: Account, catalog: Catalog | None, count: int) -> list[Account]:
        """Friends who don't have the owner's catalog yet, and now and then a stranger."""
        have = catalog.shares if catalog else {}
        friends = [one for one in owner.circle if one not in have]
        chosen = self.draw.sample(friends, min(count, len(friends)))
        if not chosen or self.draw.random() < 0.15:
            stranger = self.draw.choice(self.members)
            if stranger is not owner and stranger not in chosen and stranger not in have:
                befriend(owner, stranger)
                chosen.append(stranger)
        return chosen

    def _new_name(self, owner: Account) -> str:
        """A catalog name that is not taken, in any letter case."""
        theme = self.draw.choice(owner.kind.themes)
        year = self.draw.randint(1998, 2026)
        for name in (
            theme,
            f"{owner.slug}-{theme}",
            f"{theme}-{year}",
            f"{owner.slug}-{theme}-{year}",
        ):
            if len(name) <= LONGEST_NAME and name not in self._names_taken:
                return name
        self._names_numbered += 1
        return f"{theme}-no{self._names_numbered}"

    def open_catalog(self, owner: Account, name: str, audience: int) -> Catalog:
        """A new catalog, for that many recipients."""
        catalog = Catalog(name, owner, audience)
        owner.catalogs.append(catalog)
        self.catalogs.append(catalog)
        self._names_taken.add(name.casefold())
        return catalog

    def share(self, catalog: Catalog, recipients: list[Account]) -> None:
        """Queue the shares of a catalog; most recipients import it a while later."""
        pace = Pace.LATER
        for recipient in recipients:
            share = Share(catalog, recipient, len(self._active))
            self._active.append(share)
            catalog.shares[recipient] = share
            subject = NATSTER.subject_of(
                EventType.SHARED, catalog.owner.key, recipient.key, catalog.name
            )
            self.queue(pace, subject, b"null")
            if self.draw.random() < 0.8:
                self.later(4, 70, partial(self._import, share))
            pace = Pace.SAME_SITTING

    def _import(self, share: Share) -> None:
        if share.place is None:
            return
        if share.recipient.joined:
            self._queue_import(share.recipient, share.catalog)
        else:
            self.later(4, 70, partial(self._import, share))

    def _queue_import(self, importer: Account, catalog: Catalog) -> None:
        subject = NATSTER.subject_of(
            EventType.IMPORTED, importer.key, catalog.owner.key, catalog.name
        )
        self.queue(Pace.LATER, subject, b"null")

    def _withdraw(self) -> None:
        """Unshare a catalog from one recipient, or from all of them."""
        if not self._active:
            return
        share = self.draw.choice(self._active)
        shares = [share]
        if self.draw.random() < 0.3:
            shares = list(share.catalog.shares.values())
        pace = Pace.LATER
        for one in shares:
            self._end(one)
            catalog, recipient = one.catalog, one.recipient
            subject = NATSTER.subject_of(
                EventType.UNSHARED, catalog.owner.key, recipient.key, catalog.name
            )
            self.queue(pace, subject, b"null")
            if self.draw.random() < 0.4:
                self.later(8, 90, partial(self._share_again, catalog, recipient))
            pace = Pace.SAME_SITTING

    def _end(self, share: Share) -> None:
        """Remove a share from the active ones; the last one moves to its place."""
        del share.catalog.shares[share.recipient]
        last = self._active.pop()
        if last is not share and share.place is not None:
            self._active[share.place] = last
            last.place = share.place
        share.place = None

    def _share_again(self, catalog: Catalog, recipient: Account) -> None:
        if recipient not in catalog.shares:
            self.share(catalog, [recipient])
