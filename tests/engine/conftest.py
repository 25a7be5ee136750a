from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.engine.projecting import bucket_watch
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.reading.stream_reader import StreamReader
from tests.making_logs import A, B, append, bound, context, initialized, shared
from tests.sealed_logs import SECRET, sealed_log


@pytest.fixture
def frequent_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent consumers send heartbeats often, and with each a projector looks at its bucket."""
    defaults = StreamReader.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "heartbeat_s", 0.1)
    monkeypatch.setattr(bucket_watch, "POLL_S", 0.05)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Where the keys of a sealed log are, once it needs any."""
    return tmp_path / "config" / "keys.json"


@pytest.fixture
async def sealed(link: Link, key_file: Path) -> EventLog:
    """Four sealed events: Ada, who bound a context with a secret, and Bob, with whom she shares."""
    log = await sealed_log(link, key_file)
    await append(log, [initialized(A, "Ada"), bound(A, context(access_token=SECRET))])
    await append(log, [initialized(B, "Bob"), shared(A, B)])
    return log
