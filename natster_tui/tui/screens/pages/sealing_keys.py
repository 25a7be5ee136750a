"""The keys page: what is sealed, the accounts' data keys, and whether they can be used."""

from __future__ import annotations

from collections import defaultdict

from rich.cells import cell_len

from natster_tui.engine.workspace import Workspace
from natster_tui.projections.projection_sentences import Names
from natster_tui.store.sealing.key_records import Missing
from natster_tui.store.sealing.keyring import Keyring
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import full_time
from natster_tui.tui.places.place import account_place
from natster_tui.tui.widgets.dialogs.page import Lines, PageLine


def sealing_page(workspace: Workspace, names: Names) -> list[PageLine]:
    """The page that `K` shows."""
    page = Lines()
    log = workspace.log
    if log is None:
        page.add("No log is open, so its keys are not known yet.")
        return page.lines
    sealing = log.sealing
    keyring = sealing.keyring
    page.add("What is sealed", "bold")
    has_keys = keyring is not None and bool(keyring.wrapped)
    page.add(f"  {_what_is_sealed(seals=sealing.seals, has_keys=has_keys)}")
    for problem in sealing.problems:
        page.add(f"  {problem}")
    if keyring is not None and keyring.wrapped:
        _add_keys(page, keyring, names)
        _add_erased(page, keyring, names)
    return page.lines


def _what_is_sealed(*, seals: bool, has_keys: bool) -> str:
    if seals:
        return (
            "payloads and documents that we write; subjects, bucket keys, and events that other "
            "programs wrote in clear text are readable"
        )
    if has_keys:
        return "nothing that we write; what is sealed already is opened with the keys below"
    return "nothing: payloads and documents are stored in clear text"


def _add_keys(page: Lines, keyring: Keyring, names: Names) -> None:
    if keyring.head is not None:
        page.add()
        page.add("Keyring", "bold")
        where = "none" if keyring.key_file is None else screen_text(str(keyring.key_file), 200)
        page.add(f"  {screen_text(keyring.head.ring, 100)}, key file {where}")
        page.add(f"  key-encryption key that wraps now: {screen_text(keyring.head.kek, 100)}")
    of_account: dict[str, list[str]] = defaultdict(list)
    unusable: list[tuple[str, str, str]] = []
    for key in keyring.wrapped.values():
        of_account[key.account].append(key.id)
        found = keyring.find(key.id)
        if isinstance(found, Missing):
            unusable.append((key.account, key.id, found.reason))
    page.add()
    page.add(f"Data keys of {counted(len(of_account), 'account')}", "bold")
    for account, key_id, reason in unusable:
        why = f"  {screen_text(key_id, 100)}: {reason}"
        page.link(names.of(account), account_place(account), before="  ! ", after=why)
    bad = {key_id for _account, key_id, _reason in unusable}
    width = max(map(cell_len, map(names.of, of_account)), default=0)
    for account in sorted(of_account, key=lambda each: names.of(each).casefold()):
        ids = ", ".join(screen_text(each, 100) for each in of_account[account] if each not in bad)
        if ids:
            name = names.of(account)
            gap = " " * (width - cell_len(name) + 2)
            page.link(name, account_place(account), before="  ", after=f"{gap}{ids}")


def _add_erased(page: Lines, keyring: Keyring, names: Names) -> None:
    if not keyring.tombstones:
        return
    page.add()
    page.add("Erased accounts", "bold")
    for each in sorted(keyring.tombstones.values(), key=lambda one: one.at):
        state = "; the erasure was interrupted" if keyring.is_unfinished(each) else ""
        after = f"  at {full_time(each.at)}{state}"
        page.link(names.of(each.account), account_place(each.account), before="  ", after=after)
