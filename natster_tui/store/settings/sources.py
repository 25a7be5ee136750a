"""The sources of settings, in order of precedence.

1. the flags;
2. the context named by `--context`;
3. the environment (`NATS_URL`, `NATS_CREDS`, …);
4. the context named by `NATS_CONTEXT`;
5. the context selected in the `nats` tool, only when nothing above names a server or a context.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from natster_tui.store.settings.nats_contexts import NamedBy, context_source, selected_context
from natster_tui.store.settings.options import ConnectionFlags, ConnectionOptions, Kind, Source

VARIABLES = {
    "server": "NATS_URL",
    "creds": "NATS_CREDS",
    "user": "NATS_USER",
    "password": "NATS_PASSWORD",
    "token": "NATS_TOKEN",
    "nkey": "NATS_NKEY",
    "tls_ca": "NATS_CA",
    "tls_cert": "NATS_CERT",
    "tls_key": "NATS_KEY",
    "socks_proxy": "NATS_SOCKS_PROXY",
}
"""The environment variables of the nats tool, by option."""


def sources(flags: ConnectionFlags, environ: Mapping[str, str]) -> Iterator[Source]:
    """The sources that have any option, highest precedence first. Raises UsageError."""
    variables = ConnectionOptions.model_validate(
        {option: environ.get(variable) for option, variable in VARIABLES.items()}
    )
    if flags.is_given:
        yield Source(Kind.FLAGS, "flags", flags, flag)
    if flags.context:
        yield context_source(flags.context, NamedBy.FLAG, environ)
    if variables.is_given:
        yield Source(Kind.ENVIRONMENT, "environment", variables, VARIABLES.__getitem__)
    if flags.context:
        return
    if named := environ.get("NATS_CONTEXT"):
        yield context_source(named, NamedBy.VARIABLE, environ)
    elif not (flags.server or variables.server) and (selected := selected_context(environ)):
        yield context_source(selected, NamedBy.TOOL, environ)


def flag(option: str) -> str:
    """The name of an option on the command line."""
    return f"--{option.replace('_', '-')}"
