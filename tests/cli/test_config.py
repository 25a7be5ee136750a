from __future__ import annotations

import json

from tests.cli.program import Program, together


async def test_each_setting_is_printed_with_its_source_and_secrets_are_masked(
    anywhere: Program,
) -> None:
    contexts = anywhere.home / "config" / "nats" / "context"
    contexts.mkdir(parents=True)
    fields = {"url": "nats://ann:hush@example.com:4222", "token": "hush", "inbox_prefix": "_I"}
    (contexts / "staging.json").write_text(json.dumps(fields))
    variables = {"NATS_URL": "nats://127.0.0.1:1", "NATS_USER": "bob", "NATS_PASSWORD": "hush"}
    embedded, by_context, by_flag, text, wrong = await together(
        anywhere.succeed("config", "--json"),
        anywhere.succeed("config", "--context", "staging", "--json"),
        anywhere.with_variables(variables).succeed("config", "--stream", "LOG", "--json"),
        anywhere.with_variables({"NATS_USER": "a-token"}).succeed("config", "--hub", "Hub"),
        anywhere.fail(2, "config", "--context", "nobody"),
    )
    assert _settings(embedded.json)["server"] == ("embedded", "default")
    assert _settings(embedded.json)["data_dir"][1] == "default"
    staging = _settings(by_context.json)
    assert staging["server"] == (
        "nats://example.com:4222",
        'the url of the nats context "staging"',
    )
    assert staging["token"][0] == "••••"
    assert staging["inbox_prefix"][0] == "_I"
    named = _settings(by_flag.json)
    assert named["server"] == ("nats://127.0.0.1:1", "NATS_URL")
    assert named["user"] == ("bob", "NATS_USER")
    assert named["password"] == ("••••", "NATS_PASSWORD")
    assert named["stream"] == ("LOG", "--stream")
    assert any(line.split() == ["user", "••••", "NATS_USER"] for line in text.lines)
    assert any(line.split() == ["hub", "Hub", "--hub"] for line in text.lines)
    for ended in (embedded, by_context, by_flag, text):
        assert "hush" not in ended.out
        assert "a-token" not in ended.out
    assert "nobody" in wrong
    assert not (anywhere.home / "data").exists(), "no server was started for that"


def _settings(printed: dict[str, list[dict[str, str]]]) -> dict[str, tuple[str, str]]:
    return {each["name"]: (each["value"], each["source"]) for each in printed["settings"]}
