"""Every failure a person can meet, as one sentence and an exit code.

The sentence names what went wrong and what to do about it; the command line prints it on stderr
and the dashboard shows it as it is. Whatever it quotes is masked and made safe when the failure is
made, so that it can be shown as it is. Exit codes: 1 "the answer is no", 2 usage, 3 "the server
cannot be reached or refuses".
"""

from __future__ import annotations

from typing import Self

from natster_tui.text.masking import screen_text


class NatsterError(Exception):
    """A failure with a sentence for the person in front of the screen."""

    exit_code = 1

    def __init__(self, sentence: str) -> None:
        self.sentence = screen_text(sentence)
        super().__init__(self.sentence)


class UsageError(NatsterError):
    """What was asked for makes no sense as asked."""

    exit_code = 2


class RefusedError(NatsterError):
    """We decline on purpose: going on could lose or forge something."""

    exit_code = 1


class NotFoundError(NatsterError):
    """There is no such key, event or document."""

    exit_code = 1


class ConflictError(NatsterError):
    """Somebody else wrote first; nothing was written."""

    exit_code = 1


class ServerError(NatsterError):
    """The server cannot be reached, or refuses what was asked of it."""

    exit_code = 3


class UnreachableError(ServerError):
    """Nobody answers at the server's address."""


class ConnectionLostError(ServerError):
    """The connection that a piece of work was using has ended."""


class DeniedError(ServerError):
    """The server's permissions forbid what was asked."""


class UnheardError(ServerError):
    """Nothing listens on the subject of a request."""


class BucketError(ServerError):
    """A bucket that we need cannot be made, or cannot be used as it is set up."""


class MissingLogError(ServerError):
    """The stream that should be the log does not exist."""


class StoreProblemError(ServerError):
    """The server cannot store anything: its disk is full, or failed."""


class NoServerBinaryError(ServerError):
    """No nats-server program could be found to embed."""


class ApiError(ServerError):
    """JetStream answered a request with an error.

    `code` is JetStream's `err_code` (for example 10071, wrong last sequence).
    """

    def __init__(self, sentence: str, code: int, description: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.description = description


class MalformedAnswerError(ServerError):
    """The server's answer cannot be read, or cannot be true."""


class MisplacedWriteError(ServerError):
    """What is written would not be stored, or was not stored, by the stream that is shown."""


class KeysChangedError(NatsterError):
    """What can be opened has changed: an erasure, a rotation, a key file that came or went."""


class LogChangedError(RefusedError):
    """The log is not the one a projection was derived from, or lost events unseen."""


class ProjectorStoppedError(RefusedError):
    """A projector cannot go past an event, and must not skip it."""


class BlockedEventError(ProjectorStoppedError):
    """A projection stands before an event that it may not pass. `seq` is the event's sequence."""

    def __init__(self, sentence: str, seq: int) -> None:
        super().__init__(sentence)
        self.seq = seq

    def anew(self) -> Self:
        """The same, not raised yet: a raised one keeps the frames that it came through alive."""
        return type(self)(self.sentence, self.seq)


class UnopenedEventError(BlockedEventError):
    """An event counts, and its payload is sealed with a key that is not here."""


class RuleFailedError(BlockedEventError):
    """A projection's rule raised an error, returned something else than a document, or hangs."""


class ProjectionRefusedError(UsageError):
    """A projection cannot be used: its file does not load, or its declaration is wrong."""
