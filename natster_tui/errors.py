"""Every failure that a user can see, as one sentence and an exit code.

The sentence names what went wrong and what to do about it. The command line prints it on stderr,
and the dashboard shows it unchanged. Quoted text is masked and sanitised when the error is made,
so the sentence is safe to show. Exit codes: 1 "the answer is no", 2 usage, 3 "the server cannot be
reached or refuses".
"""

from __future__ import annotations

from typing import Self

from natster_tui.text.masking import screen_text


class NatsterError(Exception):
    """A failure with a sentence for the user."""

    exit_code = 1

    def __init__(self, sentence: str) -> None:
        self.sentence = screen_text(sentence)
        super().__init__(self.sentence)


class UsageError(NatsterError):
    """The command, an option or a local file is wrong."""

    exit_code = 2


class RefusedError(NatsterError):
    """We refuse on purpose: going on could lose or forge data."""

    exit_code = 1


class NotFoundError(NatsterError):
    """There is no such key, event or document."""

    exit_code = 1


class ConflictError(NatsterError):
    """Another writer wrote first; nothing was written."""

    exit_code = 1


class ServerError(NatsterError):
    """The server cannot be reached, or refuses a request."""

    exit_code = 3


class UnreachableError(ServerError):
    """Nothing answers at the server's address."""


class ConnectionLostError(ServerError):
    """The connection in use was lost."""


class DeniedError(ServerError):
    """The server's permissions forbid the request."""


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
    """The stream that is shown would not store, or did not store, what is written."""


class KeysChangedError(NatsterError):
    """The available keys changed: an erasure, a rotation, or a key file added or removed."""


class LogChangedError(RefusedError):
    """The log is not the one a projection was derived from, or has lost events."""


class ProjectorStoppedError(RefusedError):
    """A projector cannot go past an event, and must not skip it."""


class UnstorableError(ProjectorStoppedError):
    """The limits of the server or of a bucket do not take what must be written."""

    exit_code = 3


class BlockedEventError(ProjectorStoppedError):
    """A projection is blocked at an event that it may not skip. `seq` is the event's sequence."""

    def __init__(self, sentence: str, seq: int) -> None:
        super().__init__(sentence)
        self.seq = seq

    def without_traceback(self) -> Self:
        """A copy without a traceback. A raised error keeps every frame it passed through alive."""
        return type(self)(self.sentence, self.seq)


class UnopenedEventError(BlockedEventError):
    """The payload of an event that counts is sealed with a missing key."""


class RuleFailedError(BlockedEventError):
    """A projection's rule raised an error, hangs, or returned something that is not a document."""


class DocumentRefusedError(RefusedError):
    """A document that a rule made cannot be stored: it would not be read back as it is."""


class ProjectionRefusedError(UsageError):
    """A projection cannot be used: its file does not load, or its declaration is wrong."""
