"""The embedded server's configuration.

It does not hold the store's key; the server reads that from an environment variable. The server
parses the variable as configuration, so a key is a letter followed by hexadecimal digits. JSON is
a subset of the server's format, but the reference to the variable must not be quoted.
"""

from __future__ import annotations

import json
import re
from typing import Any

from natster_tui.store.embedded.state_files import HOST

KEY_VARIABLE = "NATSTER_STORE_KEY"
"""The environment variable with the store's key."""

SERVER_NAME = "natster-embedded"
MAX_PAYLOAD = 8 * 1024**2
MAX_PENDING = 128 * 1024**2
"""Bytes that the server buffers for a slow client before it disconnects it."""
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
        # Without this limit the server checks a log's max_bytes against three quarters of the
        # free disk space, and refuses it on a small disk. A full disk is reported anyway.
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
    """Whether this or an earlier release wrote this configuration."""
    return _OURS.search(content) is not None
