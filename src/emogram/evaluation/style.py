"""The house style of figures: colours, fonts, and how a figure is made and written.

A figure is a matplotlib ``Figure`` that no window and no global state knows of. Colours are told apart with any colour
vision (Okabe and Ito 2008; sequential maps of even lightness), and nothing is told by colour alone.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emogram.errors import MissingExtraError
from emogram.writing import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PALE, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#9CC9E6", "#8A8A8A", "#222222"
EMPTY = "#F4F4F4"
"""Where a time axis goes on and a clip does not."""

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "svg.fonttype": "path",
    "svg.hashsalt": "emogram",
}
_DPI, _DPI_OF_WIDE, _WIDE_IN = 150, 100, 12.0
_METADATA = {".svg": {"Date": None}, ".png": {"Software": None}}

FIGURE_SUFFIXES = tuple(_METADATA)
"""Formats that `write` knows."""


@contextmanager
def house_figure(width_in: float, height_in: float, *, layout: str = "constrained") -> Iterator["Figure"]:
    """A figure to draw in, in the house style.

    Args:
        width_in: inches.
        height_in: inches.
        layout: matplotlib's layout engine; ``none`` where every axes is given its place.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("drawing figures", "train") from error
    with rc_context(_STYLE):
        figure = Figure(figsize=(width_in, height_in), layout=layout)  # type: ignore[arg-type]
        FigureCanvasAgg(figure)
        yield figure


def write(figure: "Figure", path: Path) -> Path:
    """Write a figure in the format of the path's suffix, the same bytes for the same figure; the whole file or none.

    150 dots to the inch, 100 in a figure that is wider than a foot.

    Args:
        figure: from `house_figure`.
        path: ends in one of `FIGURE_SUFFIXES`.

    Returns:
        The path.
    """
    from matplotlib import rc_context  # noqa: PLC0415

    dpi = _DPI_OF_WIDE if figure.get_figwidth() > _WIDE_IN else _DPI
    with whole(path) as partial, rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # of names in scripts that the font lacks
        figure.savefig(partial, format=path.suffix[1:], dpi=dpi, metadata=_METADATA[path.suffix], facecolor="white")
    return path
