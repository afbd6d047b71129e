"""The picture of docs/adaptation.md from the scores in docs/results/adaptation. Run: python docs/images/adaptation.py."""

from pathlib import Path

from emogram.evaluation.style import write
from emogram.paper.adapted import figure, read_adapted

RESULTS = Path(__file__).parents[1] / "results" / "adaptation"


def main() -> None:
    """Write ``adaptation.png`` beside this file."""
    drawn, _ = figure(read_adapted(RESULTS), width_in=7.2, height_in=4.2)
    write(drawn, Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    main()
