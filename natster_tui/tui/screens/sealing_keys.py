"""What is sealed, and with which key: the accounts' data keys, and whether they can be used."""

from __future__ import annotations

from collections import defaultdict

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from natster_tui.engine.workspace import Workspace
from natster_tui.projections.wording import Names
from natster_tui.store.sealing.key_records import Missing
from natster_tui.store.sealing.keyring import Keyring
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import full_time


def sealing_text(workspace: Workspace, names: Names) -> Text:
    """The page that `K` shows."""
    text = Text()
    log = workspace.log
    if log is None:
        text.append("No log is open, so its keys are not known yet.\n")
        return text
    sealing = log.sealing
    keyring = sealing.keyring
    text.append("What is sealed\n", "bold")
    has_keys = keyring is not None and bool(keyring.wrapped)
    text.append(f"  {_what_is_sealed(seals=sealing.seals, has_keys=has_keys)}\n")
    for problem in sealing.problems:
        text.append(f"  {problem}\n")
    if keyring is not None and keyring.wrapped:
        _append_keys(text, keyring, names)
        _append_erased(text, keyring, names)
    return text


def _what_is_sealed(*, seals: bool, has_keys: bool) -> str:
    if seals:
        return (
            "payloads and documents that we write; subjects, bucket keys, and events that other "
            "programs wrote in clear text are readable"
        )
    if has_keys:
        return "nothing that we write; what is sealed already is opened with the keys below"
    return "nothing: payloads and documents are stored in clear text"


def _append_keys(text: Text, keyring: Keyring, names: Names) -> None:
    if keyring.head is not None:
        text.append("\nKeyring\n", "bold")
        where = "none" if keyring.key_file is None else screen_text(str(keyring.key_file), 200)
        text.append(f"  {screen_text(keyring.head.ring, 100)}, key file {where}\n")
        text.append(f"  key-encryption key that wraps now: {screen_text(keyring.head.kek, 100)}\n")
    of_account: dict[str, list[str]] = defaultdict(list)
    unusable: list[tuple[str, str, str]] = []
    for key in keyring.wrapped.values():
        of_account[key.account].append(key.id)
        found = keyring.find(key.id)
        if isinstance(found, Missing):
            unusable.append((key.account, key.id, found.reason))
    text.append(f"\nData keys of {counted(len(of_account), 'account')}\n", "bold")
    for account, key_id, reason in unusable:
        text.append(f"  ! {names.of(account)}  {screen_text(key_id, 100)}: {reason}\n", "bold")
    bad = {key_id for _account, key_id, _reason in unusable}
    width = max(map(cell_len, map(names.of, of_account)), default=0)
    for account in sorted(of_account, key=lambda each: names.of(each).casefold()):
        ids = ", ".join(screen_text(each, 100) for each in of_account[account] if each not in bad)
        if ids:
            text.append(f"  {set_cell_size(names.of(account), width)}  ")
            text.append(f"{ids}\n", "dim")


def _append_erased(text: Text, keyring: Keyring, names: Names) -> None:
    if not keyring.tombstones:
        return
    text.append("\nErased accounts\n", "bold")
    for each in sorted(keyring.tombstones.values(), key=lambda one: one.at):
        state = "; the erasure was interrupted" if keyring.is_unfinished(each) else ""
        text.append(f"  {names.of(each.account)}  at {full_time(each.at)}{state}\n")
