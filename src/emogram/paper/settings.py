"""A stored configuration in words; whatever a field is called in the version that wrote it."""

from collections.abc import Mapping, Sequence
from typing import Any

from emogram.paper.markup import code, escape
from emogram.paper.stored import Result
from emogram.paper.tables import Table
from emogram.paper.wording import amount, listed, shown

_CHAINS = ("waveform", "spectrogram", "batch")
SECTIONS = {
    "input": ("audio", "spectrogram", "augmentation"),
    "network": ("network", "transfer", "distillation"),
    "fit": ("fit", "split"),
}
"""The sections of a configuration that are shown together."""


def front_end(settings: Mapping[str, Any]) -> str:
    """``logmel, 64 bands, windows of 25 ms every 10 ms``; empty where it was not stored."""
    field = _reader(settings, "spectrogram.")
    parts = [field("name", "{}"), field("n_mels", "{} bands")]
    window, hop = field("window_ms", "windows of {} ms"), field("hop_ms", "every {} ms")
    parts.append(" ".join(filter(None, (window, hop))))
    return ", ".join(filter(None, parts))


def training(settings: Mapping[str, Any]) -> str:
    """``50 epochs in batches of 32, adamw at a rate of 0.002, one_cycle``; empty where it was not stored."""
    field = _reader(settings, "fit.")
    schedule = field("schedule.name", "{}") or field("schedule", "{}") or field("optimizer.schedule", "{}")
    smoothing = field("label_smoothing", "label smoothing {}")
    parts = [
        " ".join(filter(None, (field("epochs", "{} epochs"), field("batch_size", "in batches of {}")))),
        " ".join(filter(None, (field("optimizer.name", "{}"), field("optimizer.learning_rate", "at a rate of {}")))),
        schedule and f"schedule {schedule}",
        smoothing,
        "" if settings.get("fit.soup") in {None, 1, "1"} else field("soup", "the mean of the weights of {} such fits"),
    ]
    return ", ".join(filter(None, parts))


def augmentation(settings: Mapping[str, Any]) -> str:
    """What a chain holds by name, or the fields of an older form that are not nought; ``none`` where there is nothing."""
    found: list[str] = []
    for chain in _CHAINS:
        value = settings.get(f"augmentation.{chain}")
        if isinstance(value, list):
            found += [str(each.get("name", "")) if isinstance(each, Mapping) else str(each) for each in value]
            continue
        inner = {name: each for name, each in settings.items() if name.startswith(f"augmentation.{chain}.")}
        off = any(name.endswith("noise_probability") and not each for name, each in inner.items())
        found += [
            f"{name.rpartition('.')[2].replace('_', ' ')} {shown(each)}"
            for name, each in inner.items()
            if each and not (off and "noise" in name)
        ]
    stored = any(name.startswith("augmentation.") for name in settings)
    return ", ".join(found) or ("none" if stored else "")


def in_full(results: Sequence[Result], sections: Sequence[str]) -> Table | None:
    """Every field of some sections of the configurations, side by side; None where there is none."""
    columns = [
        {name: value for name, value in result.settings.items() if name.partition(".")[0] in sections}
        for result in results
    ]
    fields = list(dict.fromkeys(name for column in columns for name in column))
    if not fields:
        return None
    rows = tuple(
        (code(field), *(escape(_cell(column[field])) if field in column else "–" for column in columns))
        for field in fields
    )
    header = ("field", *(escape(result.label) for result in results))
    return Table(header, rows, "l" * len(header), wide=dict.fromkeys(range(1, len(header)), 1))


def costs(result: Result) -> str:
    """``2.81 million parameters and 168 million multiply-adds for 3 s``; empty where they were not stored."""
    clip_s = result.metrics.get("configuration", {}).get("audio", {}).get("clip_s")
    for_clip = "" if clip_s is None else f" for {clip_s:g} s"
    parts = [(result.parameters, "parameters"), (result.metrics.get("multiply_adds"), f"multiply-adds{for_clip}")]
    return listed([f"{amount(value)} {word}" for value, word in parts if value])


def _cell(value: Any) -> str:
    text = shown(value)
    return f"{text[:19]}…" if text.startswith("sha256 ") else text


def _reader(settings: Mapping[str, Any], prefix: str) -> Any:
    def read(name: str, words: str) -> str:
        value = settings.get(prefix + name)
        return "" if value is None or isinstance(value, Mapping) else words.format(shown(value))

    return read
