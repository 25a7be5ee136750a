"""Sealing as people meet it: the keys command, exports, other key files, and the disk."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from natster_tui.cli.outputs.keys import KeyList
from natster_tui.store.connection.link import Link
from natster_tui.store.provisioning.maker import KEYS
from natster_tui.store.sealing.envelope import MAGIC
from natster_tui.store.sealing.key_bucket import KEYRING_ENTRY
from natster_tui.store.sealing.key_file import KeyFile
from natster_tui.store.sealing.key_making import ensure_keys
from natster_tui.store.sealing.key_rotation import destroy, write_tombstone
from natster_tui.store.sealing.keyring import Keyring
from tests.cli.program import Program, together
from tests.conftest import RECORDINGS, recording
from tests.jetstream import ask_jetstream
from tests.sealed_logs import put_key_entry

A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
B = "AA33U5HNMJFHIX63KYLTK3J3MMPWQHBUMYDYQQGDS5O3WNCL5GDFQ462"
STANDARD = str(RECORDINGS / "01_standard.events.jsonl")


async def test_nothing_in_a_data_directory_can_be_read(embedded: Program, data: Path) -> None:
    """Payload texts, account keys, catalog names and secrets, in files and in their names."""
    await embedded.succeed("import", STANDARD)
    await embedded.succeed("project", "--once")
    known: set[str] = {"kevbuzz", "natster.events", "out_shares", "access_token", "oauth_id"}
    for record in recording("01"):
        known.update(token for token in record.subject.split(".")[2:5] if token != "none")
        if record.payload not in (b"", b"null"):
            known.add(record.payload.decode()[:40])
            known.update(_texts(json.loads(record.payload)))
    files = [path for path in data.rglob("*") if path.is_file()]
    assert any(path.suffix == ".blk" for path in files)
    content = b"".join(path.read_bytes() for path in files) + "\n".join(map(str, files)).encode()
    assert {text for text in known if text.encode() in content} == set()
    for path in (*data.rglob("*"), embedded.key_file):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def _texts(value: object) -> set[str]:
    """Every text of some length in a JSON value."""
    if isinstance(value, dict):
        return set().union(*map(_texts, value.values()), set()) if value else set()
    return {value} if isinstance(value, str) and len(value) > 5 else set()


async def test_exports_are_sealed_unless_opened_and_go_where_their_keys_are(
    natster: Program, anywhere: Program, server: object
) -> None:
    await natster.succeed("import", "--create-log", STANDARD)
    sealed = [json.loads(line) for line in (await natster.succeed("export")).lines]
    assert sum("payload_base64" in line for line in sealed) == 5
    readable = await natster.succeed("export", "--open")
    assert [json.loads(line)["payload"] for line in readable.lines] == [
        record.payload.decode() for record in recording("01")
    ]
    other = anywhere.on(server.new_account(), "--create-log")  # type: ignore[attr-defined] # RealServer
    refused = await other.fail(
        1, "import", "-", given="".join(f"{json.dumps(line)}\n" for line in sealed)
    )
    assert "export it with --open, or with --keys; nothing was imported" in refused
    ended = await other.succeed("import", "-", given=readable.out)
    assert ended.lines == ["imported 10 events into NATSTER_EVENTS, 0 were there already"]
    again = await natster.succeed(
        "import", "-", given="".join(f"{json.dumps(line)}\n" for line in sealed)
    )
    assert again.lines == ["imported 0 events into NATSTER_EVENTS, 10 were there already"]


async def test_keys_are_listed_rotated_backed_up_and_erased(
    natster: Program, anywhere: Program, server: object, tmp_path: Path
) -> None:
    await natster.succeed("import", "--create-log", STANDARD)
    await natster.succeed("project", "--once")
    listed = (await natster.succeed("keys", "list", "--json")).json
    assert {key["account"] for key in listed["keys"]} >= {A, B}
    assert {key["state"] for key in listed["keys"]} == {"usable"}
    named, whole = await together(
        natster.succeed("keys", "list"), natster.succeed("keys", "list", "--keys")
    )
    assert any(line.startswith("n-ACB4B3 (ACB4…GDT)  ") for line in named.lines)
    states = {line.index("  usable") for line in named.lines if line.endswith("  usable")}
    assert len(states) == 1, "the keys stand in one column"
    assert any(line.startswith(f"{A}  ") for line in whole.lines)
    backup = tmp_path / "backup.json"
    await natster.succeed("keys", "backup", str(backup))
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    rotated = (await natster.succeed("keys", "rotate", "--json")).json
    assert (rotated["removed"], rotated["failed"]) == ([listed["wraps_now"]], 0)
    assert (await natster.succeed("verify")).code == 0
    stale = await natster.run("keys", "list", "--key-file", str(backup))
    assert stale.code == 1
    assert "does not hold" in stale.out
    document = (await natster.succeed("show", "account", A, "--reveal", "--json")).json["document"]
    assert document["bound_context"]["oauth_id"]

    nobody = await natster.fail(1, "keys", "erase", "NOBODY", "--yes")
    assert nobody == "NOBODY has no data key: nothing to erase"
    asked = await natster.run("keys", "erase", A, given="\n")
    assert asked.code == 1
    assert "not confirmed: nothing was written" in asked.err
    assert "what stays readable" in asked.out
    assert (await natster.succeed("keys", "list", "--json")).json["erased"] == []

    # By the beginning of the key it is found and shown, and the key is still what confirms it.
    part = A[:12]
    assert A in await natster.fail(2, "keys", "erase", part, "--yes")
    erased = await natster.run("keys", "erase", part, given=f"{A}\n")
    assert erased.code == 0, erased
    assert erased.lines[0] == f"account: {A}"
    assert (await natster.succeed("verify")).code == 0
    document = (await natster.succeed("show", "account", A, "--reveal", "--json")).json["document"]
    assert "bound_context" not in document
    shown = await natster.succeed("tail", f"from:{A}")
    assert "github|" not in shown.out
    exported = await natster.run("export", "--open")
    assert exported.code == 0
    opened = [json.loads(line) for line in exported.lines]
    ours = [line for line in opened if line["subject"].split(".")[2] == A]
    assert not any("payload_base64" in line for line in opened)
    assert sum(line["payload"] == "" for line in ours) == 2
    assert exported.err == (f"natster-tui: 2 events came out empty: the keys of {A} were erased\n")
    # Another log takes it, and comes to the same as this one.
    other = anywhere.on(server.new_account(), "--create-log")  # type: ignore[attr-defined] # RealServer
    await other.succeed("import", "-", given=exported.out)
    await other.succeed("project", "--once")
    there = (await other.succeed("show", "account", A, "--reveal", "--json")).json["document"]
    assert there == document
    (told,) = (await natster.succeed("keys", "list", "--json")).json["erased"]
    assert told["account"] == A
    status = (await natster.succeed("status", "--json")).json
    assert [p["problem"] for p in status["projections"]] == [None, None]


async def test_a_sealed_log_without_its_key_file_is_distinguished_from_an_erased_one(
    natster: Program,
) -> None:
    await natster.succeed("import", "--create-log", STANDARD)
    await natster.succeed("project", "--once")
    key_file = natster.key_file
    kept = key_file.read_bytes()
    key_file.unlink()
    status = (await natster.succeed("status", "--json")).json
    assert any("there is no key file" in hazard for hazard in status["hazards"])
    shown = await natster.fail(1, "show", "account", A)
    assert "is sealed with the key k" in shown
    assert "there is no key file" in shown
    assert (await natster.succeed("show", "catalog", "kevbuzz", "--json")).json["document"]
    closed = await natster.run("export", "--open")
    assert (closed.code, len(closed.lines)) == (0, 10)
    assert closed.err.startswith("natster-tui: 5 events stayed sealed: there is no key file ")
    assert len(closed.err.splitlines()) == 1
    assert (await natster.run("export")).err == ""
    refused = await natster.fail(1, "publish", "natster_initialized", "--origin", A, "--data", "{}")
    assert "key" in refused
    assert not key_file.exists(), "never replaced by a new one"
    key_file.touch(0o600)
    key_file.write_bytes(kept)
    assert (await natster.succeed("verify")).code == 0


async def test_sealing_is_what_the_log_says(natster: Program, tmp_path: Path) -> None:
    await natster.succeed("import", "--create-log", "--sealing", "off", STANDARD)
    assert not natster.key_file.exists()
    refused = await natster.fail(1, "status", "--sealing", "on", "--key-file", str(tmp_path / "k"))
    assert "was made with sealing off" in refused
    exported = await natster.succeed("export")
    assert MAGIC.decode("latin-1") not in exported.out


async def test_a_key_file_in_the_data_directory_is_refused(embedded: Program, data: Path) -> None:
    told = await embedded.fail(2, "status", "--key-file", str(data / "keys.json"))
    assert "the key file is in the embedded server's data directory" in told
    told = await embedded.fail(2, "keys", "backup", str(data / "copy.json"))
    assert told.startswith("the copy is in the embedded server's data directory")
    assert not data.exists()


async def test_a_key_file_in_the_default_data_directory_is_refused(anywhere: Program) -> None:
    directory = anywhere.home / "data" / "natster-tui"
    told = await anywhere.fail(2, "status", "--key-file", str(directory / "keys.json"))
    assert "the key file is in the embedded server's data directory" in told
    assert not directory.exists()


async def test_a_key_file_that_others_can_read_is_refused(natster: Program) -> None:
    await natster.succeed("import", "--create-log", STANDARD)
    natster.key_file.chmod(0o644)
    status = (await natster.succeed("status", "--json")).json
    assert any("chmod 600" in hazard for hazard in status["hazards"])


async def test_an_erasure_that_was_interrupted_is_listed_until_it_is_ended(
    link: Link, tmp_path: Path
) -> None:
    """Its key is still there to be unwrapped, whatever the tombstone says."""
    keyring = Keyring(link, KeyFile(tmp_path / "keys.json"), "test")
    await ensure_keys(keyring, [A, B])
    (key,) = [key.id for key in keyring.wrapped.values() if key.account == A]
    await write_tombstone(keyring, A, [key], 1)
    states = {told.key: (told.state, told.reason) for told in KeyList.of(keyring).keys}
    assert states[key] == (
        "half erased",
        f"its erasure was interrupted: keys erase {A} finishes it",
    )
    await destroy(keyring, A)
    assert key not in {told.key for told in KeyList.of(keyring).keys}


async def test_nothing_is_started_if_keys_cannot_be_deleted(
    natster: Program, link: Link, tmp_path: Path
) -> None:
    config = KEYS.config(1) | {"deny_delete": True}
    await ask_jetstream(link, f"STREAM.CREATE.{KEYS.stream}", config)
    await natster.succeed("import", "--create-log", STANDARD)
    before = (await natster.succeed("keys", "list")).out
    sentence = await natster.fail(3, "keys", "erase", A, "--yes")
    assert sentence.startswith("nothing was erased: the stream KV_NATSTER_KEYS has deny_delete")
    assert (await natster.succeed("keys", "list")).out == before
    # What the sentence says to do.
    exported = tmp_path / "log.jsonl"
    exported.write_text((await natster.succeed("export", "--keys")).out)
    await ask_jetstream(link, f"STREAM.DELETE.{KEYS.stream}")
    assert (await natster.run("import", str(exported))).code == 0
    assert (await natster.succeed("keys", "list")).out == before
    await natster.succeed("keys", "erase", A, "--yes")


async def test_a_key_file_that_is_a_link_to_itself_is_a_sentence(embedded: Program) -> None:
    embedded.key_file.parent.mkdir(parents=True)
    embedded.key_file.symlink_to(embedded.key_file)
    for command in (("status",), ("keys", "list"), ("keys", "backup", "copy.json")):
        assert "leads back to itself" in await embedded.fail(1, *command)


async def test_every_command_that_needs_the_keyring_reports_a_missing_or_damaged_one(
    natster: Program, link: Link
) -> None:
    await natster.succeed("import", "--create-log", STANDARD)
    await natster.succeed("project", "--once")
    commands = (
        ("keys", "list"),
        ("keys", "rotate"),
        ("keys", "erase", A, "--yes"),
        ("show", "account", A),
        ("publish", "natster_initialized", "--origin", A, "--data", '{"account_name":"x"}'),
    )
    await put_key_entry(link, KEYRING_ENTRY, b"noise")
    for lost in ("is damaged", "is missing, but NATSTER_EVENTS holds sealed events"):
        for command in commands:
            assert lost in await natster.fail(1, *command), command
        status = (await natster.succeed("status", "--json")).json
        assert any(lost in hazard for hazard in status["hazards"])
        if lost == "is damaged":
            await ask_jetstream(link, "STREAM.DELETE.KV_NATSTER_KEYS")
