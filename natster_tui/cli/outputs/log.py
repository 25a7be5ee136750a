"""The JSON output of `publish` and `import`."""

from __future__ import annotations

from pydantic import Field

from natster_tui.cli.outputs.output import Output
from natster_tui.engine.log.import_events import ImportResult


class Published(Output):
    """A published event."""

    seq: int = Field(description="The event's sequence in the log.")


class Imported(Output):
    """What an import did."""

    imported: int = Field(description="Events appended.")
    present: int = Field(description="Events that were in the log already.")
    renamed: int = Field(description="Events that got a new id: another event has theirs.")
    erased: int = Field(description="Events that cannot be read: their keys were erased.")
    markers: int = Field(description="Delete markers, which are left out.")
    headers_left_out: int = Field(description="Headers that the server would act on.")
    keys: int = Field(description="Data keys added.")
    erasures: int = Field(description="Tombstones of erased accounts added.")

    @classmethod
    def of(cls, result: ImportResult) -> Imported:
        """The counts of an import."""
        return cls(
            imported=result.appended,
            present=result.present,
            renamed=result.renamed,
            erased=result.erased,
            markers=result.markers,
            headers_left_out=result.left_out.total,
            keys=result.keys,
            erasures=result.erasures,
        )
