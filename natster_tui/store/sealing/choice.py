"""Whether a log is sealed, and with which keys.

The log's own metadata says it. `--sealing` decides when we make one, and turns sealing on for a
log that says nothing, if a key file is named with it: from then on what we write is sealed, and
what is there is read as it is.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from natster_tui.errors import RefusedError
from natster_tui.events.log.info import LogInfo
from natster_tui.store.connection.link import Link
from natster_tui.store.files.locks import LOCKS_SUPPORTED, NOT_SUPPORTED
from natster_tui.store.provisioning.maker import BucketMaker
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.sealing.keyring import Keyring
from natster_tui.store.sealing.values import KeyringSealing


@dataclass(frozen=True, slots=True)
class SealingChoice:
    """What a person said about sealing.

    `wanted` is `--sealing`, None if not given; `key_file` where the keys are, None for nowhere;
    `is_named` whether a person named that file.
    """

    wanted: bool | None = None
    key_file: Path | None = None
    is_named: bool = False

    @property
    def for_new_log(self) -> bool:
        """Whether a log that we make is sealed: yes, unless told otherwise.

        Raises RefusedError on a system on which nothing can be sealed.
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
                f"{info.stream} was made with sealing {here}, and whoever uses it relies on that: "
                f"leave --sealing {there} out"
            )
        return made_on


async def open_sealing(
    link: Link, info: LogInfo, choice: SealingChoice, maker: BucketMaker | None = None
) -> KeyringSealing:
    """How a log is sealed and opened, with the keys as they are now.

    `maker` makes the keys' bucket where it is missing.
    """
    keyring = keyring_for(link, info.stream, choice)
    await keyring.refresh()
    return sealing_with(keyring, info, choice, maker)


def keyring_for(link: Link, stream: str, choice: SealingChoice) -> Keyring:
    """The keys of a log, for `sealing_with`; the first `refresh` may go beside opening the log."""
    file = None if choice.key_file is None else KeyFile(choice.key_file)
    return Keyring(link, file, secrets.token_hex(4), log=stream)


def sealing_with(
    keyring: Keyring, info: LogInfo, choice: SealingChoice, maker: BucketMaker | None = None
) -> KeyringSealing:
    """How a log is sealed and opened with keys that were looked at."""
    sealing = KeyringSealing(keyring, seals=choice.seals(info))
    link = keyring.bucket.link
    keyring.bucket.maker = maker or BucketMaker(link, replicas=info.replicas, sealed=True)
    return sealing
