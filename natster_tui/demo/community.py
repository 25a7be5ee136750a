"""A made-up media-sharing community, told as events: what `natster-tui demo` shows.

One story per seed. It is told event by event, without times, and can go on for ever; a history
is its beginning with times put to it afterwards. So the same seed gives the same events,
however many of them are history and whenever the demo is started.

Everybody and everything in it is invented, the secrets too.
"""

from __future__ import annotations

import json
import unicodedata
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from heapq import heappop, heappush
from itertools import accumulate
from random import Random

from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.event import NONE, SUBJECT_PREFIX, EventType, subject_of
from natster_tui.projections.account import CONTEXT_FIELDS, BoundContext

HUB_NAME = "Natster Hub"
HUB_CATALOG = "natsterhub"

HISTORY_SECONDS = 21 * 86_400
"""How far back a history reaches."""

_AT_ONCE = 1_000
"""Events of a history thought of between two pauses."""


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """One event to publish; `time` is unix seconds for a past one, None for a live one."""

    subject: str
    payload: bytes
    time: int | None = None


class DemoCommunity:
    """The community of a seed. All methods tell the same story on from where it stands."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._story = _Story(seed)

    def history(self, count: int, end: int) -> list[DemoEvent]:
        """The next `count` events as the past: in order of time, the last at `end` (unix seconds).

        How long before `end` each one was depends on the seed and `count` alone.
        """
        return [event for part in self.history_in_parts(count, end) for event in part]

    def history_in_parts(self, count: int, end: int) -> Iterator[list[DemoEvent]]:
        """The same history, a part at a time; an empty part is only a pause for the caller.

        No event has its time before the last one is thought of, so the pauses come first.
        """
        beats: list[_Beat] = []
        while len(beats) < count:
            more = min(_AT_ONCE, count - len(beats))
            beats += [self._story.next_beat() for _ in range(more)]
            yield []
        ages = yield from _ages([beat.pace for beat in beats], self._seed)
        for start in range(0, count, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            yield [
                DemoEvent(beat.subject, beat.payload, end - age)
                for beat, age in zip(beats[part], ages[part], strict=True)
            ]

    def next_live(self) -> DemoEvent:
        """The next event, to happen now."""
        beat = self._story.next_beat()
        return DemoEvent(beat.subject, beat.payload)


class _Pace(Enum):
    """How soon an event follows the one before it; the values are seconds, shortest and longest."""

    AT_ONCE = (0, 2)
    SAME_SITTING = (8, 200)
    LATER = (0, 0)
    """Begins a sitting of its own, at any time."""


@dataclass(frozen=True, slots=True)
class _Beat:
    subject: str
    payload: bytes
    pace: _Pace


@dataclass(frozen=True, slots=True)
class _WebIdentity:
    """What stays the same each time an account signs in on the web."""

    oauth_id: str
    team_id: str
    system_id: str
    user_id: str


@dataclass(slots=True, eq=False)
class _Account:
    key: str
    account_id: str
    name: str
    slug: str
    kind: _Kind
    circle: dict[_Account, None] = field(default_factory=dict)
    catalogs: list[_Catalog] = field(default_factory=list)
    joined: bool = False
    identity: _WebIdentity | None = None
    renamed: bool = False


@dataclass(slots=True, eq=False)
class _Catalog:
    """A catalog and its active shares.

    `audience` is how many recipients its owner has in mind; `disputed` says that another
    account's catalog of the same name, or nearly, exists already.
    """

    name: str
    owner: _Account
    audience: int
    shares: dict[_Account, _Share] = field(default_factory=dict)
    disputed: bool = False


@dataclass(slots=True, eq=False)
class _Share:
    """`place` is its index among the story's active shares, None when withdrawn."""

    catalog: _Catalog
    recipient: _Account
    place: int | None


@dataclass(slots=True)
class _Scene:
    """Something out of the ordinary, due at an event number.

    `stage` answers in how many events it is due again, or None if the community wasn't ready.
    """

    stage: Callable[[], int | None]
    due: int


class _Story:
    """The community as it stands, and what happens next in it.

    Each plan (a newcomer, an evening of sharing, a late import …) changes the community first
    and then puts its events into the queue, so no plan starts from a state that another one's
    waiting events would still change.
    """

    def __init__(self, seed: int) -> None:
        # A text as seed: Random takes the absolute value of a number, and -7 would tell 7's story.
        self._random = Random(f"community {seed}")  # noqa: S311 - a story, not a secret
        self._told = 0
        self._queue: deque[_Beat] = deque()
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._agenda_entries = 0
        self._cast = self._random.sample(_CAST, len(_CAST))
        self._people_made = 0
        self._members: list[_Account] = []
        self._eagerness: list[float] = []
        self._catalogs: list[_Catalog] = []
        self._names_taken: set[str] = {HUB_CATALOG}
        self._names_numbered = 0
        self._active: list[_Share] = []
        self._oddities = 0
        self._hub = self._account(HUB_NAME, "hub", _STUDIO)
        self._hub_catalog = _Catalog(HUB_CATALOG, self._hub, audience=0)
        # Early enough for a history of 400 to have each of them, and four oddities.
        self._scenes = [
            _Scene(self._contest_a_name, 70),
            _Scene(self._do_something_odd, 80),
            _Scene(self._twin_a_name, 120),
            _Scene(self._invite, 150),
            _Scene(self._rename, 210),
            _Scene(self._sign_in_again, 260),
        ]
        self._found_the_hub()

    def next_beat(self) -> _Beat:
        """The next event of the story."""
        while not self._queue:
            self._plan()
        self._told += 1
        return self._queue.popleft()

    def _plan(self) -> None:
        for scene in self._scenes:
            if scene.due <= self._told:
                scene.due = self._told + (scene.stage() or 5)
                return
        if self._agenda and self._agenda[0][0] <= self._told:
            _, _, act = heappop(self._agenda)
            act()
            return
        # Word of mouth: quick at first, then slower, without an end.
        wanted = 2.0 + 0.75 * self._told**0.65
        if len(self._members) < wanted and self._random.random() < 0.6:
            self._welcome(self._new_account())
        elif self._random.random() < self._tidiness():
            self._withdraw()
        else:
            self._share_something()

    def _tidiness(self) -> float:
        """How likely a withdrawal is: the more is shared, the more, or it would never end."""
        each = len(self._active) / (len(self._members) + 1)
        return min(0.09 + each / 70, 0.5)

    def _later(self, soonest: int, latest: int, act: Callable[[], None]) -> None:
        """Put something on the agenda, to happen that many events from now."""
        self._agenda_entries += 1
        due = self._told + self._random.randint(soonest, latest)
        # The running number decides between equals: functions have no order.
        heappush(self._agenda, (due, self._agenda_entries, act))

    def _tell(self, pace: _Pace, subject: str, payload: bytes) -> None:
        self._queue.append(_Beat(subject, payload, pace))

    # People

    def _found_the_hub(self) -> None:
        self._tell_initialized(self._hub)
        # The hub greets itself too, as the reference service's does; it changes nothing.
        self._tell_hub_share(self._hub)

    def _new_account(self) -> _Account:
        tour, index = divmod(self._people_made, len(self._cast))
        self._people_made += 1
        kind, name = self._cast[index]
        slug = _slug(name)
        if tour:
            again, place = divmod(tour - 1, len(_PLACES))
            name += f" ({_PLACES[place]}{f' {again + 1}' if again else ''})"
        return self._account(name, slug, kind)

    def _account(self, name: str, slug: str, kind: _Kind) -> _Account:
        key = encode_account_key(self._random.randbytes(32))
        return _Account(key, self._made_up_id(), name, slug, kind)

    def _welcome(self, account: _Account) -> None:
        """An account is initialized, greeted by the hub, and finds its friends."""
        draw = self._random
        account.joined = True
        self._tell_initialized(account)
        self._tell_hub_share(account)
        for friend in draw.sample(self._members, min(len(self._members), draw.randint(2, 5))):
            _befriend(account, friend)
        self._members.append(account)
        so_far = self._eagerness[-1] if self._eagerness else 0.0
        self._eagerness.append(so_far + draw.paretovariate(1.6))
        when = draw.random()
        if when < 0.55:
            self._bind(account, _Pace.SAME_SITTING)
        elif when < 0.85:
            self._later(6, 80, partial(self._bind, account, _Pace.LATER))
        if draw.random() < 0.75:
            self._later(1, 30, partial(self._tell_import, account, self._hub_catalog))

    def _tell_initialized(self, account: _Account) -> None:
        payload = {
            "account_id": account.account_id,
            "account_name": account.name,
            "account_key": account.key,
        }
        self._tell(
            _Pace.LATER, subject_of(EventType.INITIALIZED, account.key), _json_bytes(payload)
        )

    def _tell_hub_share(self, account: _Account) -> None:
        subject = subject_of(EventType.SHARED, self._hub.key, account.key, HUB_CATALOG)
        self._tell(_Pace.AT_ONCE, subject, b"")

    def _bind(self, account: _Account, pace: _Pace) -> None:
        """A web sign-in; the identity stays the same, the secrets are new each time."""
        subject = subject_of(EventType.CONTEXT_BOUND, account.key)
        self._tell(pace, subject, self._binding(account))

    def _binding(self, account: _Account) -> bytes:
        identity = account.identity
        if identity is None:
            oauth_id = (
                f"github|{self._random.randint(100_000, 99_999_999)}"
                if self._random.random() < 0.6
                else f"google-oauth2|1{self._made_up('0123456789', 20)}"
            )
            identity = account.identity = _WebIdentity(
                oauth_id, self._made_up_id(), self._made_up_id(), self._made_up_id()
            )
        values = {
            "team_id": identity.team_id,
            "system_id": identity.system_id,
            "account_id": account.account_id,
            "account_name": account.name,
            "account_public_key": account.key,
            "access_token": f"demo_uat_{self._made_up(_LETTERS, 40)}",
            "user_id": identity.user_id,
            "creds": _CREDS.format(
                jwt=".".join(self._made_up(_LETTERS, length) for length in (36, 180, 86)),
                seed=f"SU{self._made_up(_BASE32, 56)}",
            ),
        }
        fields = tuple(values[name] for name in CONTEXT_FIELDS)
        return _json_bytes(BoundContext(identity.oauth_id, fields).as_document())

    # Catalogs

    def _share_something(self) -> None:
        """Somebody shares a catalog, new or not, with a few of the people they know."""
        draw = self._random
        if not self._members:
            return
        owner = self._somebody()
        open_ones = [one for one in owner.catalogs if len(one.shares) < one.audience]
        catalog = draw.choice(open_ones) if open_ones and draw.random() < 0.8 else None
        recipients = self._recipients(owner, catalog, 1 + min(int(draw.expovariate(0.7)), 5))
        if not recipients:
            return
        if catalog is None:
            audience = 2 + min(int(draw.expovariate(0.16)), 28)
            catalog = self._open(owner, self._new_name(owner), audience)
        self._share(catalog, recipients)

    def _somebody(self) -> _Account:
        """A member; some are far more eager than others."""
        point = self._random.random() * self._eagerness[-1]
        return self._members[bisect_left(self._eagerness, point)]

    def _recipients(self, owner: _Account, catalog: _Catalog | None, count: int) -> list[_Account]:
        """Friends who don't have the owner's catalog yet, and now and then a stranger."""
        have = catalog.shares if catalog else {}
        friends = [one for one in owner.circle if one not in have]
        chosen = self._random.sample(friends, min(count, len(friends)))
        if not chosen or self._random.random() < 0.15:
            stranger = self._random.choice(self._members)
            if stranger is not owner and stranger not in chosen and stranger not in have:
                _befriend(owner, stranger)
                chosen.append(stranger)
        return chosen

    def _new_name(self, owner: _Account) -> str:
        """A catalog name that nobody has, in any letter case."""
        theme = self._random.choice(owner.kind.themes)
        year = self._random.randint(1998, 2026)
        for name in (
            theme,
            f"{owner.slug}-{theme}",
            f"{theme}-{year}",
            f"{owner.slug}-{theme}-{year}",
        ):
            if len(name) <= _LONGEST_NAME and name not in self._names_taken:
                return name
        self._names_numbered += 1
        return f"{theme}-no{self._names_numbered}"

    def _open(self, owner: _Account, name: str, audience: int) -> _Catalog:
        catalog = _Catalog(name, owner, audience)
        owner.catalogs.append(catalog)
        self._catalogs.append(catalog)
        self._names_taken.add(name.casefold())
        return catalog

    def _share(self, catalog: _Catalog, recipients: list[_Account]) -> None:
        """The events of sharing; most recipients import it a while later."""
        pace = _Pace.LATER
        for recipient in recipients:
            share = _Share(catalog, recipient, len(self._active))
            self._active.append(share)
            catalog.shares[recipient] = share
            subject = subject_of(EventType.SHARED, catalog.owner.key, recipient.key, catalog.name)
            self._tell(pace, subject, b"null")
            if self._random.random() < 0.8:
                self._later(4, 70, partial(self._import, share))
            pace = _Pace.SAME_SITTING

    def _import(self, share: _Share) -> None:
        if share.place is None:
            return
        if share.recipient.joined:
            self._tell_import(share.recipient, share.catalog)
        else:
            self._later(4, 70, partial(self._import, share))

    def _tell_import(self, importer: _Account, catalog: _Catalog) -> None:
        subject = subject_of(EventType.IMPORTED, importer.key, catalog.owner.key, catalog.name)
        self._tell(_Pace.LATER, subject, b"null")

    def _withdraw(self) -> None:
        """An owner takes a catalog away from one recipient, or from all of them."""
        if not self._active:
            return
        share = self._random.choice(self._active)
        shares = [share]
        if self._random.random() < 0.3:
            shares = list(share.catalog.shares.values())
        pace = _Pace.LATER
        for one in shares:
            self._end(one)
            catalog, recipient = one.catalog, one.recipient
            subject = subject_of(EventType.UNSHARED, catalog.owner.key, recipient.key, catalog.name)
            self._tell(pace, subject, b"null")
            if self._random.random() < 0.4:
                self._later(8, 90, partial(self._share_again, catalog, recipient))
            pace = _Pace.SAME_SITTING

    def _end(self, share: _Share) -> None:
        """Take a share out of the active ones: the last one moves to its place."""
        del share.catalog.shares[share.recipient]
        last = self._active.pop()
        if last is not share and share.place is not None:
            self._active[share.place] = last
            last.place = share.place
        share.place = None

    def _share_again(self, catalog: _Catalog, recipient: _Account) -> None:
        if recipient not in catalog.shares:
            self._share(catalog, [recipient])

    # Scenes

    def _contest_a_name(self) -> int | None:
        """A second account shares a catalog under a name that is another's already."""
        dispute = self._dispute()
        if dispute is None:
            return None
        catalog, rival, recipients = dispute
        # Not one of the rival's catalogs from now on: one mistake, not a habit.
        self._share(_Catalog(catalog.name, rival, audience=0, disputed=True), recipients)
        return self._random.randint(4_000, 9_000)

    def _twin_a_name(self) -> int | None:
        """A second account takes a name that differs from another's in letter case only."""
        dispute = self._dispute()
        if dispute is None:
            return None
        catalog, rival, recipients = dispute
        twin = self._open(rival, catalog.name.title(), audience=6)
        twin.disputed = True
        self._share(twin, recipients)
        return self._random.randint(4_000, 9_000)

    def _dispute(self) -> tuple[_Catalog, _Account, list[_Account]] | None:
        """A catalog to collide with, who does it, and who will see both."""
        if not self._catalogs:
            return None
        for _ in range(20):
            catalog = self._random.choice(self._catalogs)
            rival = self._random.choice(self._members)
            known_to = [one for one in catalog.shares if one is not rival and one.joined]
            if catalog.disputed or rival is catalog.owner or not known_to:
                continue
            if rival not in catalog.shares:
                catalog.disputed = True
                return catalog, rival, known_to[:2]
        return None

    def _invite(self) -> int | None:
        """Somebody shares with an account that is initialized only some time afterwards."""
        if not self._catalogs:
            return None
        catalog = self._random.choice(self._catalogs)
        guest = self._new_account()
        self._share(catalog, [guest])
        self._later(8, 25, partial(self._welcome, guest))
        return self._random.randint(700, 1_500)

    def _rename(self) -> int | None:
        """An account is initialized again, under a new name."""
        account = self._random.choice(self._members)
        if account.renamed:
            return None
        account.renamed = True
        account.name += account.kind.renamed_to
        self._tell_initialized(account)
        return self._random.randint(300, 900)

    def _sign_in_again(self) -> int | None:
        """A bound account binds again: the same identity, new secrets."""
        account = self._somebody()
        if account.identity is None:
            return None
        self._bind(account, _Pace.LATER)
        return self._random.randint(150, 500)

    def _do_something_odd(self) -> int | None:
        """Publish something that no projection can use; another thing each time."""
        if not self._catalogs:
            return None
        catalog = self._random.choice(self._catalogs)
        owner = catalog.owner
        friend = next(iter(owner.circle))
        payload = b"null"
        match self._oddities % 6:
            case 0:
                subject = f"{SUBJECT_PREFIX}{owner.key}.{NONE}.{catalog.name}.catalog_renamed"
                payload = _json_bytes({"new_name": f"{catalog.name}-remastered"})
            case 1:
                # A client that broke off in the middle, and tried again.
                subject = subject_of(EventType.CONTEXT_BOUND, owner.key)
                whole = self._binding(owner)
                payload = whole[: len(whole) * 2 // 3]
                self._later(1, 3, partial(self._bind, owner, _Pace.SAME_SITTING))
            case 2:
                name = self._random.choice(_UNUSABLE_NAMES)
                subject = subject_of(EventType.SHARED, owner.key, friend.key, name)
            case 3:
                subject = subject_of(EventType.SHARED, owner.key, friend.key, NONE)
            case 4:
                subject = f"{SUBJECT_PREFIX}{owner.key}.{NONE}.{NONE}.account_archived"
            case _:
                subject = subject_of(EventType.CONTEXT_BOUND, owner.key)
        self._tell(_Pace.LATER, subject, payload)
        self._oddities += 1
        return self._random.randint(*((75, 85) if self._oddities < 4 else (250, 600)))

    # What is made up

    def _made_up_id(self) -> str:
        return self._made_up(_LETTERS, 27)

    def _made_up(self, alphabet: str, length: int) -> str:
        return "".join(self._random.choices(alphabet, k=length))


def _befriend(one: _Account, other: _Account) -> None:
    one.circle[other] = None
    other.circle[one] = None


def _slug(name: str) -> str:
    """The first telling word of a name, as it may stand in a catalog's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = ("".join(filter(str.isalnum, word)) for word in plain.split())
    return next(word for word in words if word and word not in _ARTICLES)


def _json_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _ages(paces: list[_Pace], seed: int) -> Generator[list[DemoEvent], None, list[int]]:
    """How many seconds ago each event of a history happened; the last one just now.

    Pauses with empty parts, as `history_in_parts` does.
    Sittings begin when people are awake, some hours being much busier than others; the rest
    of a sitting follows within minutes, or less if the next sitting is near.
    """
    if not paces:
        return []
    draw = Random(f"times {seed} {len(paces)}")  # noqa: S311 - a story, not a secret
    offsets: list[list[int]] = []
    for number, pace in enumerate(paces, 1):
        if number % _AT_ONCE == 0:
            yield []
        if pace is _Pace.LATER or not offsets:
            offsets.append([0])
        else:
            offsets[-1].append(offsets[-1][-1] + draw.randint(*pace.value))
    last_start = HISTORY_SECONDS - offsets[-1][-1]
    starts = sorted(min(start, last_start) for start in _sitting_starts(len(offsets), draw))
    if len(starts) > 1:
        starts[0] = 0
    starts[-1] = last_start
    ages: list[int] = []
    for number, (start, next_start, sitting) in enumerate(
        zip(starts, [*starts[1:], HISTORY_SECONDS], offsets, strict=True), 1
    ):
        if number % _AT_ONCE == 0:
            yield []
        room, length = next_start - start, sitting[-1]
        for offset in sitting:
            fitting = offset if length <= room else offset * room // length
            ages.append(HISTORY_SECONDS - start - fitting)
    return ages


def _sitting_starts(count: int, draw: Random) -> list[int]:
    """When sittings begin, in seconds from the beginning of a history."""
    hours = HISTORY_SECONDS // 3_600
    # A history ends in the evening wherever it is shown: only then is its end a busy hour on
    # every clock, and the distances to the end are the same for every end.
    weights = accumulate(
        _BUSY_BY_HOUR[(_LAST_HOUR - hours + 1 + hour) % 24]
        * (0.7 + 0.6 * hour / hours)
        * (0.15 + draw.expovariate(1.0))
        for hour in range(hours)
    )
    chosen = draw.choices(range(hours), cum_weights=list(weights), k=count)
    return [hour * 3_600 + draw.randrange(3_600) for hour in chosen]


_BUSY_BY_HOUR = (3, 1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 12, 10, 9, 10, 12, 14, 17, 20, 22, 20, 14, 7)
_LAST_HOUR = 20

_LONGEST_NAME = 32
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ARTICLES = frozenset({"the", "los", "die", "las"})
_UNUSABLE_NAMES = ("bad$name", "mix+tape", "live@home", "b-sides!", "100%-vinyl")
_PLACES = (
    "Porto", "Leeds", "Accra", "Lima", "Turku", "Osaka", "Ghent", "Tunis", "Quito", "Pune",
    "Cork", "Split", "Graz", "Durban", "Perth", "Windhoek", "Nantes", "Bergen", "Halifax", "Hilo",
)  # fmt: skip

_CREDS = """\
-----BEGIN NATS USER JWT-----
{jwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an account is: what its catalogs are called, and how its name goes on when it grows."""

    themes: tuple[str, ...]
    renamed_to: str


_PERSON = _Kind(
    (
        "field-recordings", "kitchen-sessions", "super8-transfers", "night-walks", "found-sounds",
        "birdsong-mornings", "travel-sketches", "family-tapes", "voice-memos", "darkroom-scans",
        "train-window-films", "four-track-demos", "street-corners", "sunday-covers",
        "winter-swims", "garden-timelapse", "harbour-fog", "piano-in-the-hall",
    ),
    " & Friends",
)  # fmt: skip
_BAND = _Kind(
    (
        "tour-diaries", "rehearsal-tapes", "live-at-the-barn", "b-sides", "van-playlist",
        "setlist-archive", "encore-takes", "soundcheck-reels", "fan-footage", "acoustic-set",
        "studio-outtakes", "bootlegs-we-like", "album-two-sketches", "festival-cuts",
    ),
    " Ensemble",
)  # fmt: skip
_LABEL = _Kind(
    (
        "promo-masters", "vinyl-transfers", "back-catalogue", "press-kits", "sampler",
        "cover-art", "reissues", "test-pressings", "liner-notes", "radio-edits", "compilations",
    ),
    " International",
)  # fmt: skip
_STUDIO = _Kind(
    (
        "rough-mixes", "mixdowns", "stems", "foley-library", "room-tones", "impulse-responses",
        "mastering-refs", "tape-loops", "session-notes", "drum-takes", "overdubs",
    ),
    " Annex",
)  # fmt: skip

_CAST: tuple[tuple[_Kind, str], ...] = (
    *(
        (_PERSON, name)
        for name in (
            "Mira Halloran", "Tomás Ibarrola", "Anouk Vestergaard", "Kwabena Tettenu",
            "Priya Ranganathan", "Jonas Feldweg", "Leilani Kahalepo", "Oksana Drobysh",
            "Bilal Temsaman", "Noémie Carradec", "Hiro Matsukage", "Esi Boatemaa",
            "Callum Strathmore", "Zeynep Altınay", "Rosa Quintanal", "Dilnoza Karimbek",
            "Ewan Mossgiel", "Thandeka Mbusi", "Ingrid Solbakken", "Farid Nazhand",
            "Lupe Arrizola", "Wren Ashgrove", "Mateo Villacorte", "Saoirse Dunleary",
            "Nguyệt Lâm", "Odalys Benamor",
        )
    ),
    *(
        (_BAND, name)
        for name in (
            "The Lukewarm Kettles", "Static Orchard", "Two Left Slippers", "Kumo 雲",
            "Harbour Moths", "Tin Roof Cartographers", "Slow Bicycle Parade",
            "The Borrowed Umbrellas", "Midnight Allotment", "Goat Lantern Quartet",
            "Pocketful of Gravel", "Los Relojes Tardíos", "Half Past Tuesday",
            "The Quiet Plumbers", "Salt Flat Choir", "Moss & Murmur", "Paper Submarine Club",
            "Die Lauten Nachbarn", "Ferris Wheel Repair", "Ondas del Patio",
            "Cardboard Comets", "The Unpaid Triangles",
        )
    ),
    *(
        (_LABEL, name)
        for name in (
            "Brass Acorn Records", "Wobbly Needle", "Pigeon Loft Tapes", "Low Tide Editions",
            "Second Attic", "Lemon Crate Records", "Night Ferry Recordings",
            "Gentle Hiss Cassettes", "Ninth Shelf Music", "Copper Kite Editions",
        )
    ),
    *(
        (_STUDIO, name)
        for name in (
            "Blue Door Mixing", "Cellar Fourteen", "Rain Barrel Sound", "The Foley Pantry",
            "Treehouse Mastering", "Zwiebel Studio", "Old Dairy Sound", "Patchbay Cottage",
            "Corner Booth Audio", "Kiln Street Studio",
        )
    ),
)  # fmt: skip
