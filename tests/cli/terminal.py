"""A terminal with the program in it, and what a person would see there."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import shlex
import signal
import struct
import subprocess
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import pyte

from tests.cli.forking import SCREEN, Forked
from tests.cli.program import Program, forge

WIDE = (140, 40)
SMALL = (80, 24)
ESCAPE = "\x1b"
ENTER = "\r"
CTRL_C = "\x03"

_LOOK_S = 0.05


class Terminal:
    """Runs the program in a pseudo-terminal; an async context manager.

    What it prints goes to a screen that `wait_for` looks at and `press` answers. Leaving kills
    what still runs. The program is forked after its imports where that makes no difference, unless
    it is to begin `from_nothing`.
    """

    def __init__(
        self,
        program: Program,
        *arguments: str,
        size: tuple[int, int] = WIDE,
        ignores_hangup: bool = False,
        under_shell: bool = False,
        from_nothing: bool = False,
    ) -> None:
        self.printed = bytearray()
        self._program = program
        self._arguments = arguments
        self._command = program.command(*arguments)
        self._is_forked = program.may_be_forked and not under_shell and not from_nothing
        self._size = size
        self._ignores_hangup = ignores_hangup
        self._under_shell = under_shell
        self._is_open = True
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._shown: str | None = None
        self._stirred = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._ours, self._theirs = pty.openpty()
        columns, rows = self._size
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._settings = termios.tcgetattr(self._theirs)
        # Kept open here, so that the settings can be looked at when the program has ended.
        self._process: Forked | subprocess.Popen[bytes]
        self._process = self._fork() if self._is_forked else self._start()
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        if self._under_shell:
            self.press(f"{shlex.join(map(os.fsdecode, self._command))}\r")
        return self

    @property
    def _environment(self) -> dict[str, str]:
        return {"TERM": "xterm-256color", "PS1": "shell$ "} | self._program.environment

    def _fork(self) -> Forked:
        return forge(SCREEN).start_in_terminal(
            self._program.command_line(*self._arguments),
            self._environment,
            self._program.home,
            self._theirs,
            ignores_hangup=self._ignores_hangup,
        )

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"] if self._under_shell else self._command,
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            env=self._environment,
            cwd=self._program.home,
            start_new_session=True,
            preexec_fn=self._begin,
        )

    async def __aexit__(self, *_error: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        self.close()
        os.close(self._theirs)

    def _begin(self) -> None:
        take_terminal()
        if self._ignores_hangup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def freeze(self) -> None:
        """Read nothing any more of what the program prints."""
        asyncio.get_running_loop().remove_reader(self._ours)

    @property
    def is_full(self) -> bool:
        """Whether the program would have to wait if it printed more."""
        return not select.select([], [self._theirs], [], 0)[1]

    def close(self) -> None:
        """Close the terminal, as by the cross on its window."""
        if self._is_open:
            self._is_open = False
            self.freeze()
            os.close(self._ours)

    def _read(self) -> None:
        data = os.read(self._ours, 65_536)
        self.printed += data
        self._stream.feed(data)
        self._shown = None
        self._stirred.set()

    @property
    def shown(self) -> str:
        """The screen as text."""
        if self._shown is None:
            self._shown = "\n".join(self._screen.display)
        return self._shown

    @property
    def top(self) -> str:
        """The first line."""
        return self.shown.split("\n")[0]

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size; the program in it is told."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait_for(self, *texts: str, gone: str = "", seconds: float = 15.0) -> None:
        """Until all these texts are on the screen, and `gone` is not."""
        deadline = time.monotonic() + seconds
        while not all(text in self.shown for text in texts) or (gone and gone in self.shown):
            what = f"{texts}" + (f" without {gone!r}" if gone else "")
            ended = self._process.poll()
            assert ended is None, f"ended with {ended} before {what}:\n{self.shown}"
            assert time.monotonic() < deadline, f"waited for {what} in vain:\n{self.shown}"
            await self._wait_for_output()

    async def wait_until_it_reads(self) -> None:
        """Until the program sleeps, as at a prompt that it has just printed.

        What Python gets to hear just before it begins to read, it notices after the next key.
        """
        stat = Path(f"/proc/{self._process.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "S":
            await self._wait_for_output()

    async def wait_for_end(self, seconds: float = 10.0) -> int:
        """Until the program has ended, and all that it printed is here; its exit code."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None or _readable(self._ours):
            assert time.monotonic() < deadline, f"waited for the end in vain:\n{self.shown}"
            await self._wait_for_output()
        assert self._process.returncode is not None
        return self._process.returncode

    async def wait_for_exit(self, seconds: float) -> int:
        """Until the program has ended, though nothing can be seen of it; its exit code."""
        return await asyncio.to_thread(self._process.wait, seconds)

    async def _wait_for_output(self) -> None:
        """Until something is printed, or it is time to see whether the program still runs."""
        self._stirred.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stirred.wait(), _LOOK_S)

    def kill(self, number: int) -> None:
        """Send the program a signal."""
        if not self._under_shell:
            self._process.send_signal(number)
            return
        shell = self._process.pid
        (child,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        os.kill(int(child), number)

    @property
    def is_restored(self) -> bool:
        """Whether the terminal is as it was: its modes, its screen and its cursor."""
        return termios.tcgetattr(self._theirs) == self._settings and all(
            self.printed.rfind(on) < self.printed.rfind(off)
            for on, off in (
                (b"\x1b[?1049h", b"\x1b[?1049l"),
                (b"\x1b[?25l", b"\x1b[?25h"),
                (b"\x1b[?1000h", b"\x1b[?1000l"),
                (b"\x1b[?2004h", b"\x1b[?2004l"),
            )
        )


def take_terminal() -> None:
    """Make the terminal the one whose Ctrl-C interrupts the program, and whose end ends it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _readable(descriptor: int) -> bool:
    buffer = bytearray(4)
    fcntl.ioctl(descriptor, termios.FIONREAD, buffer)
    return bool(struct.unpack("i", buffer)[0])
