"""The embedded server's configuration.

The store's key is not in it: the server takes it from its environment. What the server reads from
there is parsed as configuration, which is why keys are hexadecimal digits behind a letter. JSON is
a subset of the server's format; only the reference to the variable has to stand without quotes.
"""

from __future__ import annotations

import json
import re
from typing import Any

from natster_tui.store.embedded.state_files import HOST

KEY_VARIABLE = "NATSTER_STORE_KEY"
"""The environment variable by which the server gets the store's key."""

SERVER_NAME = "natster-embedded"
MAX_PAYLOAD = 8 * 1024**2
MAX_PENDING = 128 * 1024**2
"""Bytes the server keeps for a client that reads slowly before it cuts it off."""
LOG_BYTES = 1024**2

_REFERENCE = f"${KEY_VARIABLE}"
_OURS = re.compile(rb'"server_name": ?"natster-embedded"')


def server_config(
    *, port: int, token: str, store: str, run: str, log_file: str, durable: bool
) -> bytes:
    """The configuration; paths are relative to the server's working directory.

    `port` is -1 for any. A store that is not `durable` need not survive a power cut.
    """
    jetstream: dict[str, Any] = {
        "store_dir": store,
        "cipher": "aes",
        "key": _REFERENCE,
        # Without a limit of ours a log's max_bytes counts against three quarters of what is
        # free on the disk now, and is refused on a small one. A full disk tells by itself.
        "max_file_store": 1024**4,
    }
    if durable:
        jetstream["sync_interval"] = "always"
    config = {
        "host": HOST,
        "port": port,
        "server_name": SERVER_NAME,
        "ports_file_dir": run,
        "log_file": log_file,
        "logfile_size_limit": LOG_BYTES,
        "logfile_max_num": 2,
        "max_payload": MAX_PAYLOAD,
        "max_pending": MAX_PENDING,
        "authorization": {"token": token},
        "jetstream": jetstream,
    }
    return json.dumps(config).replace(f'"{_REFERENCE}"', _REFERENCE).encode()


def is_our_config(content: bytes) -> bool:
    """Whether this is a configuration that we wrote, in this release or an earlier one."""
    return _OURS.search(content) is not None
