"""Results from the literature, to stand beside one's own."""

import json
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class PublishedResult:
    """One published result; numbers in percent, None where the source gives none.

    Attributes:
        protocol: what it was obtained on; a name of `emogram.splits.PROTOCOLS` where it is one of them. Compare only
            results of one protocol.
        system: the system, and how it was obtained.
        accuracy: weighted accuracy.
        uar: unweighted average recall.
        f1: macro F1.
    """

    protocol: str
    system: str
    accuracy: float | None
    uar: float | None
    f1: float | None


def published_results() -> tuple[PublishedResult, ...]:
    """The packaged results, by protocol, best first as published."""
    text = (resources.files("emogram") / "protocols" / "published_results.json").read_text(encoding="utf-8")
    stored = json.loads(text)["results"]
    return tuple(PublishedResult(**row) for row in stored)
