"""Two versions of a projection at one sequence, and how they differ."""

from __future__ import annotations

from dataclasses import dataclass

from natster_tui.projections.versions.comparing import Difference
from natster_tui.store.lease import Holder
from natster_tui.text.counting import counted


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions: its bucket, its stored position, and which process projects it.

    `lag` is how many events it is behind the head of the log. `is_here`: the process is this one.
    """

    version: int
    bucket: str
    position: int
    lag: int
    documents: int
    holder: Holder | None
    is_here: bool = False

    @property
    def sentence(self) -> str:
        """In one line."""
        who = "projected by no process"
        if self.is_here:
            who = "projected here"
        elif self.holder is not None:
            who = f"projected by {self.holder.described}"
        documents = counted(self.documents, "document")
        return (
            f"version {self.version} in {self.bucket}: at {self.position:,}, lag {self.lag:,}, "
            f"{documents}, {who}"
        )


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The stored version and the one beside, compared at the sequence `seq`.

    `refolded` is the version whose documents at `seq` were made from the log, because it was stored
    at a later position which the other version did not reach; 0 if that was not needed.
    """

    name: str
    seq: int
    head: int
    stored: Side
    beside: Side
    difference: Difference
    refolded: int = 0

    @property
    def summary(self) -> str:
        """The counts, in one line."""
        found = self.difference
        return (
            f"at {self.seq:,}: {found.equal:,} equal, {len(found.changed):,} changed, "
            f"{len(found.only_stored):,} only in version {self.stored.version}, "
            f"{len(found.only_beside):,} only in version {self.beside.version}"
        )

    def lines(self) -> list[str]:
        """The two sides and the counts, without the documents."""
        lines = [f"{self.name}: {self.stored.sentence}", f"{self.name}: {self.beside.sentence}"]
        if self.refolded:
            lines.append(
                f"the documents of version {self.refolded} at {self.seq:,} were made from the log"
            )
        return [*lines, self.summary]
