"""`natster-tui schema`: the JSON schemas of what commands print."""

from __future__ import annotations

import json

import click
from click import Context, Parameter
from click.shell_completion import CompletionItem

from natster_tui.cli.outputs.names import BY_NAME, OUTPUTS
from natster_tui.errors import UsageError
from natster_tui.text.masking import screen_text


def _names(_context: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    return [
        CompletionItem(each.name, help=each.summary)
        for each in OUTPUTS
        if each.name.startswith(incomplete)
    ]


@click.command()
@click.argument("name", metavar="[NAME]", required=False, shell_complete=_names)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on one line.")
def schema(name: str | None, as_json: bool) -> None:
    """Print the JSON schema of a command's output; without NAME, list the outputs."""
    if name is None:
        _list_outputs(as_json=as_json)
        return
    if name not in BY_NAME:
        raise UsageError(
            f"there is no output {screen_text(name, 60)}: use one of {', '.join(BY_NAME)}"
        )
    from natster_tui.cli.outputs.output import schema_of
    from natster_tui.text.strict_json import json_line

    output = BY_NAME[name]
    found = schema_of(output.load(), f"natster-tui {output.command}")
    click.echo(json_line(found) if as_json else json.dumps(found, indent=2))


def _list_outputs(*, as_json: bool) -> None:
    if as_json:
        from natster_tui.cli.outputs.output import output_line
        from natster_tui.cli.outputs.program import SchemaName, Schemas

        named = [
            SchemaName(name=each.name, command=each.command, summary=each.summary)
            for each in OUTPUTS
        ]
        click.echo(output_line(Schemas(tuple(named))))
        return
    width = max(map(len, BY_NAME))
    for each in OUTPUTS:
        click.echo(f"{each.name:<{width}}  {each.summary}")
