"""Numbers as the text shows them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from emogram.evaluation.metrics import higher_is_better
from emogram.evaluation.statistics import LEVEL
from emogram.studies.findings import apart, form
from emogram.studies.inference import Estimate

LEVEL_WORDS = f"{100 * LEVEL:.0f} %"
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

Row = Mapping[str, float | None]
"""``value``, ``low`` and ``high`` of a score, as `emogram.evaluation.summarise` gives them."""


def score(row: Row, metric: str = "accuracy") -> str:
    """``61.3 %``, or three decimals for losses."""
    value = row["value"]
    return "" if value is None else form(metric, value)


def interval(row: Row, metric: str = "accuracy") -> str:
    """``55.2 to 67.5 %``; empty where there is none."""
    return _ends(row["low"], row["high"], metric)


def with_interval(row: Row, metric: str = "accuracy") -> str:
    """``61.3 % (55.2 to 67.5 %)``."""
    ends = interval(row, metric)
    return score(row, metric) + (f" ({ends})" if ends else "")


def estimated(found: Estimate | None, metric: str) -> str:
    """A study's score with its interval, short enough for a table: ``61.3 (55.2 to 67.5)``, in percent where it is one."""
    if found is None:
        return "not finished"
    ends = (
        ""
        if found.low is None or found.high is None
        else f" ({short(metric, found.low)} to {short(metric, found.high)})"
    )
    return f"{short(metric, found.value)}{ends}"


def changed(found: Estimate, metric: str) -> str:
    """A difference with its interval, short: ``+1.2 (-0.3 to +2.7)``."""
    ends = ""
    if found.low is not None and found.high is not None:
        ends = f" ({_short_apart(metric, found.low)} to {_short_apart(metric, found.high)})"
    return f"{_short_apart(metric, found.value)}{ends}"


def changed_in_words(found: Estimate, metric: str) -> str:
    """``+1.2 points (95 % interval -0.3 to +2.7)``."""
    if found.low is None or found.high is None:
        return apart(metric, found.value)
    ends = f"{_short_apart(metric, found.low)} to {_short_apart(metric, found.high)}"
    return f"{apart(metric, found.value)} ({LEVEL_WORDS} interval {ends})"


def short(metric: str, value: float) -> str:
    """``61.3`` of percent, or three decimals."""
    return form(metric, value).removesuffix(" %")


def probability(value: float | None) -> str:
    """A p-value: ``0.031``, ``< 0.001``."""
    return "" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def count(number: float) -> str:
    """A count in words up to twelve, in digits above, with a unit from a million."""
    if number < len(_WORDS) and number == int(number):
        return _WORDS[int(number)]
    return amount(number)


def amount(number: float | None) -> str:
    """A count in digits, ``2.81 million`` from a million."""
    if number is None or not math.isfinite(number):
        return ""
    for unit, size in (("billion", 1e9), ("million", 1e6)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3.4 hours``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def listed(names: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def plural(number: int, one: str, many: str = "") -> str:
    """``one clip``, ``three clips``, ``1440 clips``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def shown(value: Any) -> str:
    """A value of a configuration in words."""
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value) or "none"
    if isinstance(value, dict):
        name = str(value.get("name", ""))
        rest = ", ".join(f"{key} {shown(each)}" for key, each in value.items() if key != "name")
        return f"{name} ({rest})" if name and rest else name or rest
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested fields by their dotted names."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        label = f"{prefix}{name}"
        fields |= flat(value, f"{label}.") if isinstance(value, Mapping) else {label: value}
    return fields


def _ends(low: float | None, high: float | None, metric: str) -> str:
    if low is None or high is None:
        return ""
    return f"{short(metric, low)} to {form(metric, high)}"


def _short_apart(metric: str, value: float) -> str:
    return f"{100 * value:+.1f}" if higher_is_better(metric) else f"{value:+.3f}"
