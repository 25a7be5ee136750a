"""Any schedule: the real engine on a real server, broken in every order that Hypothesis finds.

After every step: I1 what is stored is the fold of the log up to its checkpoint, I2 each event
counts once and in order (the journal's documents say which did), I5 of two projectors at most
one commits, on the state that the one before left, and the loser knows. See `World`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from itertools import cycle
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from nats.aio.client import Client

from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.rebuild import Pause, Rebuild, no_pause
from natster_tui.engine.rebuilding.scope import OneKey, WholeProjections
from natster_tui.errors import (
    ApiError,
    ConflictError,
    ConnectionLostError,
    NotFoundError,
    RefusedError,
    ServerError,
)
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import CHECKPOINT_KEY
from natster_tui.projections.checkpoint import decode_checkpoint
from natster_tui.projections.paging import document_key
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.consumers import list_consumers
from natster_tui.store.connection.link import Link
from natster_tui.store.lease import (
    Holder,
    Lease,
    projector_keys,
    rebuild_key,
)
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.provisioning.maker import LEASES
from natster_tui.store.settings.connection import ConnectionSettings
from tests.faults.checker import ask, plain_client
from tests.jetstream import ask_jetstream, stored_record
from tests.making_logs import A, B, C, event, initialized, shared, stored_events
from tests.real_server import RealServer
from tests.state_machine.journal import Journal
from tests.state_machine.world import CRASHES, LOSSES, Fault, Late, Process, World

_Result = TypeVar("_Result")

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Not shrinking: a real server's timing differs from run to run, and it would take for ever."""

ACCOUNTS_IN_TURN = 12
INTRUDER = Holder(host="elsewhere", pid=1, instance="intruder", since=1, version=1)
WAITS_FOR_REBUILD = "rebuild"

TOLD = ("number", "fault", "after", "inside", "purge", "again", "key", "document")

processes = st.integers(0, 1)
keys = st.sampled_from([A, B, C, "kevbuzz", "movies"])
unprocessable = st.sampled_from(
    [
        event("catalog_deleted", A),
        event("catalog_shared", A, "none", "kevbuzz"),
        event("context_bound", A, payload=b"null"),
        event("context_bound", B, payload=b"{not json"),
        event("natster_initialized", "_checkpoint"),
        event("catalog_shared", ">", B, "kevbuzz"),
        event("catalog_imported", A, "a$b", "movies"),
    ]
)


class Projecting(RuleBasedStateMachine):
    """See the module's docstring. `server` is set by the test that runs it.

    Whether a rule applies it decides by itself, and returns where it does not: a precondition
    would depend on a server's timing, and Hypothesis could not run the same example twice.
    """

    server: RealServer
    accounts: ClassVar[Iterator[ConnectionSettings]]
    """In turn: the server may still be clearing away what an account held until just now."""
    failures: ClassVar[list[tuple[BaseException, list[str]]]]
    """What went wrong the first time. Hypothesis runs that again to report it, and where it goes
    another way then, because a server's timing is its own, it says only that."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.loop = asyncio.new_event_loop()
        self.aside = asyncio.new_event_loop()
        """Where the plain client lives, so that nothing else moves while it looks."""
        self.names = 0
        self.story: list[str] = []
        """What was done, for the day when it fails."""
        self.prepared: list[tuple[Process, Rebuild]] = []
        self.stolen = False
        self.stale = False
        """Whether only another event makes the projector see that the bucket changed."""

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        caller = sys._getframe(1)
        told = {name: value for name, value in caller.f_locals.items() if name in TOLD}
        self.story.append(f"{caller.f_code.co_name} {told}")
        return self.loop.run_until_complete(work)

    def look(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return self.aside.run_until_complete(work)

    @initialize(projection=st.sampled_from([Journal(), Journal(), ACCOUNTS, CATALOGS]))
    def begin(self, projection: Any) -> None:
        account = next(self.accounts)
        self.world = World(self.loop, account, projection, self.patch)
        self.world.story = self.story
        self.link = self.run(Link.open(account))
        self.log = self.run(EventLog.create(self.link, NATSTER, LogSettings()))
        self.plain = plain_client(account)
        self.client: Client = self.look(self.plain.__aenter__())
        self.by_hand = Bucket(self.link, projection.bucket, "hand")
        self.world.by_link[self.link] = self.run(self.world.open("hand"))
        self.start(0)

    # -- the log ---------------------------------------------------------------------------

    def _append(self, events: list[Append]) -> None:
        async def read_back() -> None:
            for seq in range(self.world.head + 1, self.world.head + len(events) + 1):
                answer = await ask(self.client, f"STREAM.MSG.GET.{NATSTER.stream}", {"seq": seq})
                self.world.records.append(stored_record(answer["message"]))

        # Aside, so that no projector commits what we have not taken note of.
        self.look(self._append_aside(events))
        self.look(read_back())

    async def _append_aside(self, events: list[Append]) -> None:
        for made in events:
            headers = dict(reversed(made.headers)) or None
            await self.client.jetstream().publish(made.subject, made.payload, headers=headers)

    @rule(events=stored_events(max_size=6))
    def append(self, events: list[Append]) -> None:
        self._append(events)

    @rule(broken=unprocessable)
    def append_unprocessable(self, broken: Append) -> None:
        self._append([broken])

    # -- the processes ---------------------------------------------------------------------

    @rule(number=processes)
    def start(self, number: int) -> None:
        if number not in self.world.processes:
            self.names += 1
            self.run(self.world.start(number, f"p{self.names}"))

    @rule(number=processes)
    def leave(self, number: int) -> None:
        if number in self.world.processes:
            self.run(self.world.stop(self.world.processes[number]))

    @rule()
    def deliver(self) -> None:
        """The process that may project has projected everything; the others have seen it."""
        if self.stale:
            self._append([initialized(A)])
        self.run(self.world.until(self._settled))
        self.stale = False

    def _settled(self) -> bool:
        world = self.world
        held = [process for process in world.processes.values() if process.keeper.held]
        if len(held) > 1 or (world.processes and not held and not self.stolen):
            # One that only a rebuild can help gives its lease up.
            waiting = [process.keeper.gave_up for process in world.processes.values()]
            if held or not (world.tampered and all(waiting)):
                return False
        for process in world.processes.values():
            status = process.projector.status
            if status.position != world.head:
                return False
            if process in held:
                waits = WAITS_FOR_REBUILD in status.problem and world.tampered
                if not waits and (status.stored or 0) != world.head:
                    return False
        return True

    @rule(number=processes, again=st.integers(1, 5))
    def redeliver(self, number: int, again: int) -> None:
        """The consumers vanish, and records that were handed out come once more."""
        if not self.world.processes:
            return

        async def delete_consumers() -> None:
            for consumer in await list_consumers(self.link, NATSTER.stream):
                with suppress(ApiError):  # its owner may have been quicker
                    await ask_jetstream(
                        self.link, f"CONSUMER.DELETE.{NATSTER.stream}.{consumer.name}"
                    )

        self.run(delete_consumers())
        for process in self.world.processes.values():
            process.log.redeliver(again)

    # -- faults ----------------------------------------------------------------------------

    def _holder(self) -> Process | None:
        """Which process projects, if one does."""
        if self.stolen or not self.world.processes or self.world.tampered:
            return None
        self.deliver()
        return next((p for p in self.world.processes.values() if p.keeper.held), None)

    @rule(fault=st.sampled_from(CRASHES), after=st.integers(0, 1), events=stored_events(max_size=9))
    def crash(self, fault: Fault, after: int, events: list[Append]) -> None:
        if (process := self._holder()) is None:
            return
        process.fault, process.fault_after = fault, after
        self._append([initialized(B), *events])
        self.run(self.world.until(lambda: process.crashed or self._settled()))
        process.fault = None
        if process.crashed:
            self.run(self.world.die(process))
            self._lease_runs_out()

    def _lease_runs_out(self) -> None:
        """As time would have it, only sooner: the entries of one that died are removed."""

        async def remove() -> None:
            name = self.world.projection.name
            for key in (*projector_keys(name).held, rebuild_key(name)):
                lease = Lease(self.link, key)
                if (found := await lease.read()).holder is not None:
                    with suppress(ApiError):  # it ran out just now
                        await lease.remove(found.revision)

        self.run(remove())

    @rule(fault=st.sampled_from(LOSSES), events=stored_events(max_size=5))
    def lose_acknowledgement(self, fault: Fault, events: list[Append]) -> None:
        if (process := self._holder()) is None:
            return
        struck = process.struck
        process.fault, process.fault_after = fault, 0
        self._append([initialized(B), *events])
        self.run(self.world.until(lambda: process.struck > struck))

    @rule()
    def land_late(self) -> None:
        """A commit that is no longer waited for arrives; too late, or in time after all."""
        if not self.world.late:
            return
        late: Late = self.world.late.pop(0)
        existed = self.run(self.by_hand.info()).exists
        try:
            self.run(self.world.land(self.by_hand, late.changes, late.checkpoint, late.expected))
        except ConflictError:
            assert late.expected != self.world.revision
        except ServerError:
            assert not existed
        else:
            self.stale = True

    @rule()
    def steal_lease(self) -> None:
        """Another process has it, in the middle of everything."""
        if self.stolen:
            return

        async def steal() -> None:
            await self.log.buckets.make(LEASES)
            for key in projector_keys(self.world.projection.name).held:
                await self.link.client.jetstream().publish(
                    f"$KV.NATSTER_LEASE.{key}", INTRUDER.encode()
                )

        self.run(steal())
        self.stolen = True

    @rule()
    def free_lease(self) -> None:
        if not self.stolen:
            return
        self._lease_runs_out()
        self.stolen = False

    @rule(events=stored_events(max_size=5))
    def lose_lease_while_committing(self, events: list[Append]) -> None:
        """A commit is under way when another process takes over, commits, and it lands."""
        if (process := self._holder()) is None or len(self.world.processes) < 2:
            return
        process.fault, process.fault_after = Fault.LATE, 0
        struck = process.struck
        self._append([initialized(C), *events])
        self.run(self.world.until(lambda: process.struck > struck))
        self.run(self.world.die(process))
        self._lease_runs_out()
        self.run(self.world.until(self._settled))
        self.land_late()

    @rule(again=st.booleans())
    def recreate_bucket(self, again: bool) -> None:
        stream = f"KV_{self.world.projection.bucket}"

        async def make() -> None:
            with suppress(ConflictError):  # a projector was quicker
                await self.by_hand.create(self.log.buckets)

        self.run(self.world.hold_commits())
        self.look(ask(self.client, f"STREAM.DELETE.{stream}"))
        self.world.started_over()
        self.world.let_commits_go()
        if again:
            self.run(make())
        self.stale = True

    @rule(key=keys, document=st.sampled_from([b"garbage", b"[0]", None]))
    def tamper(self, key: str, document: bytes | None) -> None:
        if self.world.position is None or self.world.position.rebuild is not None:
            return
        headers = {} if document is not None else {"KV-Operation": "DEL"}
        subject = f"$KV.{self.world.projection.bucket}.{key}"

        async def write() -> None:
            await self.client.jetstream().publish(subject, document or b"", headers=headers)

        # A commit under way would be taken for one that put right what is written after it.
        self.run(self.world.hold_commits())
        self.look(write())
        self.story.append(f"tampered with {key}: {document!r}")
        self.world.wrong.add(key)
        self.world.tampered = True
        self.world.let_commits_go()
        if document is None:
            self.world.model.pop(key, None)
        else:
            self.world.model[key] = document

    # -- rebuilding ------------------------------------------------------------------------

    @rule(inside=st.booleans(), number=processes)
    def start_rebuild(self, inside: bool, number: int) -> None:
        """In a process that projects, or in one of its own."""
        if inside and number not in self.world.processes:
            return
        process = self.world.processes[number] if inside else self.run(self.world.open("rebuild"))
        rebuild = Rebuild(
            process.log,
            WholeProjections((self.world.projection,)),
            "rebuild",
            pause=paused_in(process) if inside else no_pause,
        )
        self.run(rebuild.prepare())
        self.prepared.append((process, rebuild))

    @rule(
        purge=st.booleans(),
        fault=st.sampled_from([None, None, *CRASHES]),
        after=st.integers(0, 3),
    )
    def commit_rebuild(self, purge: bool, fault: Fault | None, after: int) -> None:
        if not self.prepared:
            return
        process, rebuild = self.prepared.pop(0)
        if process.log.link.is_lost:
            return
        inside = process in self.world.processes.values()
        process.fault, process.fault_after = fault, after

        async def commit() -> bool:
            try:
                return all(v.good for v in await rebuild.commit(Consent(purge=purge)))
            except ConnectionLostError:
                assert process.crashed
                return True

        assert self.run(commit())
        self.stale = True
        process.fault = None
        if process.crashed:
            self.run(self.world.die(process))
            self._lease_runs_out()
        else:
            self.world.tampered = False
            if not inside:
                self.run(self.world.forget(process))

    @rule(key=keys, number=processes)
    def rebuild_key(self, key: str, number: int) -> None:
        world = self.world
        process = world.processes.get(number)
        log = self.log if process is None else process.log
        pause = no_pause if process is None else paused_in(process)
        work = Rebuild(log, OneKey(world.projection, key), "key", pause=pause)
        known = key in world.model
        usable = world.position is not None and world.position.rebuild is None

        async def commit() -> None:
            await work.prepare()
            assert all(verdict.good for verdict in await work.commit())

        try:
            self.run(commit())
        except NotFoundError:
            assert not known
        except RefusedError:
            assert not usable
        else:
            assert key not in world.wrong
        self.stale = True

    # -- what is always true ---------------------------------------------------------------

    @invariant()
    def what_is_stored_is_the_fold_of_the_log(self) -> None:
        if not hasattr(self, "client"):
            return
        self.world.look_for_failures()
        values = self.look(self._stored())
        encoded = values.pop(CHECKPOINT_KEY, None)
        if encoded is None:
            assert {document_key(key) for key in values} <= self.world.wrong
            return
        position = decode_checkpoint(encoded)
        if position.rebuild is None:
            try:
                self.world.hold(values, position)
            except AssertionError as error:
                error.add_note(self.look(self._messages()))
                raise
            record = self.world.records[position.seq - 1] if position.seq else None
            assert (position.log_time == "") == (record is None)
            return
        # Between the batches of a rebuild each entry is the old one, the new one, one of a rebuild
        # that was interrupted before it, or, after a purge, not there yet.
        at = {position.seq, position.rebuild.to, *self.world.targets}
        true = [self.world.entries(seq) for seq in at]
        for key, value in values.items():
            wrong = document_key(key) in self.world.wrong
            assert wrong or value in [each.get(key) for each in true]

    async def _stored(self) -> dict[str, bytes]:
        """The bucket as of one instant, by a plain client."""
        bucket = self.world.projection.bucket
        while True:
            before = await ask(self.client, f"STREAM.INFO.KV_{bucket}", {"subjects_filter": ">"})
            if "error" in before:
                return {}
            values = {}
            for subject in before["state"].get("subjects") or {}:
                answer = await ask(
                    self.client, f"STREAM.MSG.GET.KV_{bucket}", {"last_by_subj": subject}
                )
                if "error" in answer:
                    break
                record = stored_record(answer["message"])
                if record.header("KV-Operation") not in ("DEL", "PURGE"):
                    values[subject.removeprefix(f"$KV.{bucket}.")] = record.payload
            after = await ask(self.client, f"STREAM.INFO.KV_{bucket}")
            if "error" not in after and after["state"] == {
                k: v for k, v in before["state"].items() if k != "subjects"
            }:
                return values

    async def _messages(self) -> str:
        """The bucket message by message, for the day when it is wrong."""
        stream = f"KV_{self.world.projection.bucket}"
        info = await ask(self.client, f"STREAM.INFO.{stream}")
        lines, seq = [str(info["state"])], 1
        while "message" in (
            answer := await ask(
                self.client, f"STREAM.MSG.GET.{stream}", {"seq": seq, "next_by_subj": ">"}
            )
        ):
            record = stored_record(answer["message"])
            lines.append(f"{record.seq} {record.subject} {record.headers} {record.payload!r}")
            seq = record.seq + 1
        return "\n".join(lines)

    # -- the end ---------------------------------------------------------------------------

    def teardown(self) -> None:
        failure = sys.exc_info()[1]
        try:
            if hasattr(self, "client"):
                self._end()
        except BaseException as error:
            failure = failure or error
            raise
        finally:
            # Hypothesis ends an example that has drawn enough by raising something, too.
            if isinstance(failure, Exception) and not isinstance(failure, HypothesisException):
                self.failures.append((failure, self.story))
            self.patch.undo()
            for loop in (self.loop, self.aside):
                loop.run_until_complete(_end_all_tasks())
                loop.close()

    def _end(self) -> None:
        """Whatever happened, it ends well: everything is projected, once, and nothing is left."""
        world = self.world
        try:
            if self.stolen:
                self.free_lease()
            while world.late:
                self.land_late()
            self.start(0)
            if world.tampered:
                self.start_rebuild(True, 0)
                self.prepared = self.prepared[-1:]
                self.commit_rebuild(False, None, 0)
            self._append([shared(A, B)])
            self.stale = False
            self.run(world.until(self._settled))
            assert world.position is not None
            assert (world.position.seq, world.position.rebuild) == (world.head, None)
            assert world.wrong == set()
            self.what_is_stored_is_the_fold_of_the_log()
        finally:
            for process in list(world.by_link.values()):
                self.run(world.stop(process))
            self.run(self._delete_everything())
            self.run(self.link.close())
            self.look(self.plain.__aexit__(None, None, None))

    async def _delete_everything(self) -> None:
        for stream in (await ask_jetstream(self.link, "STREAM.NAMES"))["streams"]:
            await ask_jetstream(self.link, f"STREAM.DELETE.{stream}")


async def _end_all_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def paused_in(process: Process) -> Pause:
    """Pauses the projector of a process."""
    return lambda _projection: process.projector.paused()


def _run(server: RealServer, examples: int, steps: int) -> None:
    class Machine(Projecting):
        pass

    Machine.accounts = cycle([server.new_account() for _ in range(ACCOUNTS_IN_TURN)])
    Machine.failures = []
    try:
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
                phases=PHASES,
            ),
        )
    except BaseException:
        if not Machine.failures:
            raise
        failure, story = Machine.failures[0]
        failure.add_note("\n".join(story))
        raise failure from None


def test_any_schedule(server: RealServer) -> None:
    _run(server, examples=25, steps=20)


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(8))
def test_any_of_two_thousand_schedules(server: RealServer, part: int) -> None:
    """In parts, so that two processes can share them."""
    del part
    _run(server, examples=250, steps=40)
