"""Rare events in the made-up community.

Names that two accounts use, invitations to accounts that join later, new names, second sign-ins,
and events that no projection can use: the dashboard has to show these besides everyday sharing.
"""

from __future__ import annotations

from functools import partial

from natster_tui.demo.cast import UNUSABLE_NAMES
from natster_tui.demo.history_times import Pace
from natster_tui.demo.members import Account, Catalog
from natster_tui.demo.payloads import binding_payload, json_bytes
from natster_tui.demo.story import Scene, Story
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.tokens import NONE


def scenes_of(story: Story) -> list[Scene]:
    """The scenes of a story, each with the event number at which it is first due.

    Early enough for a history of 400 events to have each of them, and four oddities.
    """
    scenes = _Scenes(story)
    return [
        Scene(scenes.contest_a_name, 70),
        Scene(scenes.do_something_odd, 80),
        Scene(scenes.twin_a_name, 120),
        Scene(scenes.invite, 150),
        Scene(scenes.rename, 210),
        Scene(scenes.sign_in_again, 260),
    ]


class _Scenes:
    def __init__(self, story: Story) -> None:
        self._story = story
        self._oddities = 0

    def contest_a_name(self) -> int | None:
        """A second account shares a catalog under a name that is taken."""
        dispute = self._dispute()
        if dispute is None:
            return None
        catalog, rival, recipients = dispute
        # It does not become one of the rival's catalogs, so the mistake happens only once.
        self._story.share(Catalog(catalog.name, rival, audience=0, disputed=True), recipients)
        return self._story.draw.randint(4_000, 9_000)

    def twin_a_name(self) -> int | None:
        """A second account takes a name that differs from another's in letter case only."""
        dispute = self._dispute()
        if dispute is None:
            return None
        catalog, rival, recipients = dispute
        twin = self._story.open_catalog(rival, catalog.name.title(), audience=6)
        twin.disputed = True
        self._story.share(twin, recipients)
        return self._story.draw.randint(4_000, 9_000)

    def _dispute(self) -> tuple[Catalog, Account, list[Account]] | None:
        """A catalog whose name is taken again, the account that does it, and its recipients."""
        if not self._story.catalogs:
            return None
        for _ in range(20):
            catalog = self._story.draw.choice(self._story.catalogs)
            rival = self._story.draw.choice(self._story.members)
            known_to = [one for one in catalog.shares if one is not rival and one.joined]
            if catalog.disputed or rival is catalog.owner or not known_to:
                continue
            if rival not in catalog.shares:
                catalog.disputed = True
                return catalog, rival, known_to[:2]
        return None

    def invite(self) -> int | None:
        """Share a catalog with an account that is initialized some time afterwards."""
        if not self._story.catalogs:
            return None
        catalog = self._story.draw.choice(self._story.catalogs)
        guest = self._story.new_account()
        self._story.share(catalog, [guest])
        self._story.later(8, 25, partial(self._story.welcome, guest))
        return self._story.draw.randint(700, 1_500)

    def rename(self) -> int | None:
        """An account is initialized again, under a new name."""
        account = self._story.draw.choice(self._story.members)
        if account.renamed:
            return None
        account.renamed = True
        account.name += account.kind.renamed_to
        self._story.initialize(account)
        return self._story.draw.randint(300, 900)

    def sign_in_again(self) -> int | None:
        """A bound account binds again: the same identity, new secrets."""
        account = self._story.eager_member()
        if account.identity is None:
            return None
        self._story.bind(account, Pace.LATER)
        return self._story.draw.randint(150, 500)

    def do_something_odd(self) -> int | None:
        """Queue an event that a projection parks; another kind each time."""
        if not self._story.catalogs:
            return None
        catalog = self._story.draw.choice(self._story.catalogs)
        owner = catalog.owner
        friend = next(iter(owner.circle))
        payload = b"null"
        match self._oddities % 6:
            case 0:
                subject = f"{NATSTER.prefix}{owner.key}.{NONE}.{catalog.name}.catalog_renamed"
                payload = json_bytes({"new_name": f"{catalog.name}-remastered"})
            case 1:
                # A client that sent half a payload, and tries again soon.
                subject = NATSTER.subject_of(EventType.CONTEXT_BOUND, owner.key)
                whole = binding_payload(owner, self._story.draw)
                payload = whole[: len(whole) * 2 // 3]
                self._story.later(1, 3, partial(self._story.bind, owner, Pace.SAME_SITTING))
            case 2:
                name = self._story.draw.choice(UNUSABLE_NAMES)
                subject = NATSTER.subject_of(EventType.SHARED, owner.key, friend.key, name)
            case 3:
                subject = NATSTER.subject_of(EventType.SHARED, owner.key, friend.key, NONE)
            case 4:
                subject = f"{NATSTER.prefix}{owner.key}.{NONE}.{NONE}.account_archived"
            case _:
                subject = NATSTER.subject_of(EventType.CONTEXT_BOUND, owner.key)
        self._story.queue(Pace.LATER, subject, payload)
        self._oddities += 1
        return self._story.draw.randint(*((75, 85) if self._oddities < 4 else (250, 600)))
