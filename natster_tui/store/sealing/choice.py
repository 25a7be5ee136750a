"""Whether a log is sealed, and with which keys.

The log's metadata says whether it is sealed. `--sealing` decides for a new log. It also turns
sealing on for a log without that metadata, if a key file is named too: new writes are sealed, and
older events are read as they are.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from natster_tui.errors import RefusedError
from natster_tui.events.log.info import LogInfo
from natster_tui.events.system import EventSystem
from natster_tui.store.connection.link import Link
from natster_tui.store.files.locks import LOCKS_SUPPORTED, NOT_SUPPORTED
from natster_tui.store.provisioning.maker import BucketMaker
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.sealing.keyring import Keyring
from natster_tui.store.sealing.values import KeyringSealing


@dataclass(frozen=True, slots=True)
class SealingChoice:
    """The user's options for sealing.

    `wanted` is `--sealing`, None if not given. `key_file` is the path of the keys, None for no
    keys. `is_named` says whether the user named that file.
    """

    wanted: bool | None = None
    key_file: Path | None = None
    is_named: bool = False

    @property
    def for_new_log(self) -> bool:
        """Whether a log that we create is sealed; the default is yes.

        Raises RefusedError on a system that cannot seal.
        """
        sealed = self.key_file is not None if self.wanted is None else self.wanted
        if sealed and not LOCKS_SUPPORTED:
            raise RefusedError(
                f"a sealed log cannot be made here: {NOT_SUPPORTED}; add --sealing off to make one "
                "that is not sealed"
            )
        return sealed

    def seals(self, info: LogInfo) -> bool:
        """Whether what we write to a log is sealed; raises RefusedError."""
        if info.sealing is None:
            if self.wanted and not self.is_named:
                raise RefusedError(
                    f"{info.stream} does not say that it is sealed: to seal what is written from "
                    "now on, name the key file too, with --key-file"
                )
            return bool(self.wanted)
        made_on = info.sealing == "on"
        if self.wanted is not None and self.wanted != made_on:
            here, there = ("on", "off") if made_on else ("off", "on")
            raise RefusedError(
                f"{info.stream} was made with sealing {here}, and its other users rely on that: "
                f"leave --sealing {there} out"
            )
        return made_on


async def open_sealing(
    link: Link,
    system: EventSystem,
    info: LogInfo,
    choice: SealingChoice,
) -> KeyringSealing:
    """The sealing of a log, with the current keys."""
    keyring = keyring_for(link, system, choice)
    await keyring.refresh()
    return sealing_with(keyring, info, choice)


def keyring_for(link: Link, system: EventSystem, choice: SealingChoice) -> Keyring:
    """The keys of a log, for `sealing_with`. The first `refresh` may run while the log opens."""
    file = None if choice.key_file is None else KeyFile(choice.key_file)
    return Keyring(link, file, secrets.token_hex(4), log=system)


def sealing_with(
    keyring: Keyring, info: LogInfo, choice: SealingChoice, maker: BucketMaker | None = None
) -> KeyringSealing:
    """The sealing of a log, with keys that were read.

    `maker` creates the key bucket if it is missing.
    """
    sealing = KeyringSealing(keyring, seals=choice.seals(info))
    link = keyring.bucket.link
    keyring.bucket.maker = maker or BucketMaker(link, replicas=info.replicas, sealed=True)
    return sealing
