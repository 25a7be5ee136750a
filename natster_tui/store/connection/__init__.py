"""One connection to a NATS server, and how streams are read over it.

nats-py imports aiohttp where that is installed, which takes longer than everything else together.
Only `ws://` and `wss://` need it, and get it from `websocket`.
"""

import sys

if "nats" not in sys.modules and "aiohttp" not in sys.modules:
    sys.modules["aiohttp"] = None  # type: ignore[assignment] # what import takes as "not there"
    try:
        import nats.aio.client  # noqa: F401 - loaded for the modules below
    finally:
        del sys.modules["aiohttp"]
