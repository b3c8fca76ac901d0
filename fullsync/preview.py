"""A preview of a full synchronization: read Sales, decide, write nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crmsync.connections import services as connections
from crmsync.sync import jobs
from crmsync.sync.preview import Preview
from crmsync.sync.preview import preview as preview_mappings
from fullsync.services import mappings_in_scope


@dataclass(frozen=True, slots=True)
class PreviewedLine:
    """One table: counts by phase and outcome, and a sample of field changes."""

    found: Preview

    def as_json(self) -> dict[str, Any]:
        return {
            "mapping": self.found.mapping,
            "phases": {
                phase.value: {outcome.value: n for outcome, n in counts.items()}
                for phase, counts in self.found.outcomes.items()
            },
            "samples": self.found.samples,
        }

    def lines(self) -> Iterator[str]:
        yield self.found.mapping
        for phase, counts in self.found.outcomes.items():
            outcomes = ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items()))
            yield f"  {phase:10} {outcomes or 'nothing'}"
        for sample in self.found.samples:
            for name, change in sample["changes"].items():
                yield f"    {sample['number']} {name}: {change['crm']!r} -> {change['becomes']!r}"


def preview(*, by: str) -> list[PreviewedLine]:
    """What a run over all tables in scope would do now. Raises what reading Sales raises."""
    scopes = connections.get_connection().scopes
    names = [mapping.name for mapping in mappings_in_scope(scopes)]
    for name in names:
        jobs.read_sales(mapping=name, by=by)
    return [PreviewedLine(found) for found in preview_mappings(mappings=names)]
