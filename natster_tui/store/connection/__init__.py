"""One connection to a NATS server, and how streams are read over it.

nats-py imports aiohttp if it is installed, which takes longer than all other imports together.
Only `ws://` and `wss://` need aiohttp, and they import it later.
"""

import sys

if "nats" not in sys.modules and "aiohttp" not in sys.modules:
    sys.modules["aiohttp"] = None  # type: ignore[assignment] # what import takes as "not there"
    try:
        import nats.aio.client  # noqa: F401 - loaded for the modules below
    finally:
        del sys.modules["aiohttp"]
