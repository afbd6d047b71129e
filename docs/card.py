"""Write the card of the bundled models again, from the stored results. Run: python -m docs.card."""

import sys
from pathlib import Path

from emogram.pretraining.card import write_card
from emogram.pretraining.results import Store

DOCS = Path(__file__).parent
RESULTS = "results/pretrained-*"


def stores(docs: Path = DOCS) -> list[Store]:
    """The results of every bundled model, ``base`` first."""
    return [Store(folder) for folder in sorted(docs.glob(RESULTS))]


def main() -> None:
    """Write ``model-card.md`` beside this file."""
    found = stores()
    if not found:
        sys.exit(f"{DOCS / RESULTS}: there are no results; make them with: make pretrained")
    write_card(found, DOCS / "model-card.md")


if __name__ == "__main__":
    main()
