"""A whole corpus as spectrogram images and arrays, with what is needed to compute with them elsewhere."""

import hashlib
import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import emogram
from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError
from emogram.pictures.gallery import (
    DESCRIPTION,
    FORMATS,
    Item,
    claim,
    make_folders,
    name_items,
    write_array,
    write_image,
    write_list,
)
from emogram.pictures.scaling import Bits, Scaling, Spec, Tally, arrange, join, layout_of
from emogram.pictures.views import unit_of
from emogram.spectrograms import Spectrogram, SpectrogramSettings
from emogram.training.cache import AudioCache, default_folder
from emogram.training.configuration import Configuration, SplitSettings
from emogram.training.material import RESULTS_VERSION, Material, prepare
from emogram.training.processes import mapped
from emogram.training.run_folder import write_json

Progress = Callable[[str, int, int], None]
"""Told what is done, how many clips of how many."""

_CLIPS_PER_TASK = 16
_VERSION = 1
"""Raised when the same settings give other files."""


class RenderSettings(BaseModel):
    """What determines the files."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    spectrogram: SpectrogramSettings
    sample_rate: int
    split: SplitSettings
    clip_s: float | None = Field(
        None, gt=0.01, le=600, description="length that every clip is cut or padded to, about its middle"
    )
    bits: Bits = Field(8, description="of a grey level")


@dataclass(frozen=True)
class _Task:
    """Clips for one call in another process."""

    items: tuple[Item, ...]
    settings: RenderSettings
    cache: Path
    folder: Path | None = None
    formats: tuple[str, ...] = ()
    scaling: dict[str, Any] | None = None

    def is_done(self, item: Item) -> bool:
        """Whether all files of a clip are there."""
        return self.folder is not None and all(item.path(self.folder, kind).exists() for kind in self.formats)


def render(
    configuration: Configuration,
    folder: Path,
    clips: Sequence[Clip],
    *,
    clip_s: float | None = None,
    bits: Bits = 8,
    formats: Sequence[str] = tuple(FORMATS),
    jobs: int = 1,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """Write every clip of every part as image and array; files that are there already are kept.

    Grey levels are scaled by the training part alone. Killed and called again, it goes on where it was.

    Args:
        configuration: its spectrogram, sampling rate, split and cache.
        folder: to write into: new, empty, or begun with the same settings and clips.
        clips: to split.
        clip_s: length that every clip is cut or padded with silence to, about its middle; None for whole clips.
        bits: of a grey level, 8 or 16.
        formats: of ``png`` and ``npy``.
        jobs: processes.
        progress: told how far it is.

    Returns:
        The content of `DESCRIPTION`.

    Raises:
        ConfigurationError: settings that cannot be; names the field.
        SplitError: the split cannot be made, or leaks.
        TrainingError: the folder holds something else, and nothing in it was touched.
        AudioError: a clip cannot be decoded.
    """
    settings = _settings(configuration, clip_s, bits)
    _check_formats(formats)
    _front_end(settings)  # refuses early what cannot be built
    material = prepare(configuration, clips)
    items = name_items(material.rows())
    key = _key(settings, material)
    task = _Task(tuple(items), settings, configuration.runtime.cache or default_folder())
    workers = _Workers(jobs, progress)
    found = claim(folder, key, settings.model_dump(mode="json")) or _begin(folder, key, material, task, workers)
    make_folders(folder, items, formats, material.emotions)
    workers.write(replace(task, folder=folder, formats=tuple(formats), scaling=found["scaling"]))
    write_list(folder, items)
    found["formats"] = sorted({*found["formats"], *formats})
    write_json(folder / DESCRIPTION, found)
    return found


@dataclass(frozen=True)
class _Workers:
    """Processes, and who is told how far they are."""

    jobs: int
    progress: Progress

    def measure(self, task: _Task) -> Tally:
        """The values of all clips of a task together."""
        parts = _in_parts(task)
        tallies: list[Tally] = []
        done = 0
        for part, tally in zip(parts, mapped(_tally, parts, jobs=min(self.jobs, len(parts))), strict=True):
            tallies.append(tally)
            done += len(part.items)
            self.progress("training clips measured", done, len(task.items))
        return join(tallies)

    def write(self, task: _Task) -> None:
        """The files of a task that are not there yet."""
        pending = replace(task, items=tuple(item for item in task.items if not task.is_done(item)))
        parts = _in_parts(pending)
        done = 0
        for written in mapped(_write, parts, jobs=max(1, min(self.jobs, len(parts)))):
            done += written
            self.progress("clips written", done, len(pending.items))


def _in_parts(task: _Task) -> list[_Task]:
    """The same parts whatever the number of processes, so that statistics are the same to the last digit."""
    starts = range(0, len(task.items), _CLIPS_PER_TASK)
    return [replace(task, items=task.items[at : at + _CLIPS_PER_TASK]) for at in starts]


def _begin(folder: Path, key: str, material: Material, task: _Task, workers: _Workers) -> dict[str, Any]:
    """Measure the training part and write down what the folder will hold, before the first picture."""
    training = replace(task, items=tuple(item for item in task.items if item.part == "train"))
    content = _describe(task.settings, material, _front_end(task.settings), key, workers.measure(training))
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / DESCRIPTION, content)
    return content


def _settings(configuration: Configuration, clip_s: float | None, bits: Bits) -> RenderSettings:
    try:
        return RenderSettings(
            spectrogram=configuration.spectrogram,
            sample_rate=configuration.audio.sample_rate,
            split=configuration.split,
            clip_s=clip_s,
            bits=bits,
        )
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise ConfigurationError(f"{problem['loc'][0]}={problem['input']!r:.80}: {problem['msg']}") from error


def _check_formats(formats: Sequence[str]) -> None:
    unknown = [kind for kind in formats if kind not in FORMATS]
    if unknown or not formats:
        raise ConfigurationError(f"--format {unknown[0] if unknown else ''}: choose from {', '.join(FORMATS)}")


def _key(settings: RenderSettings, material: Material) -> str:
    rows = [(clip.clip_id, clip.sha256, part) for clip, part in material.rows()]
    content = json.dumps([settings.model_dump(mode="json"), rows, RESULTS_VERSION, _VERSION], sort_keys=True)
    return hashlib.sha256(content.encode(errors="surrogateescape")).hexdigest()[:16]


def _tally(task: _Task) -> Tally:
    by_row = _front_end(task.settings).standardise_rows
    return join(Tally.of(_spec(item, task), by_row=by_row) for item in task.items)


def _write(task: _Task) -> int:
    if task.folder is None or task.scaling is None:
        return 0
    scaling = Scaling.from_json(task.scaling)
    for item in task.items:
        spec = _spec(item, task)
        if "npy" in task.formats:
            write_array(item.path(task.folder, "npy"), spec)
        if "png" in task.formats:
            layout = layout_of(len(spec), scaling.bits)
            write_image(item.path(task.folder, "png"), arrange(scaling.to_pixels(spec), layout))
    return len(task.items)


def _spec(item: Item, task: _Task) -> Spec:
    """[C, F, N] of a clip, of the length wanted."""
    settings = task.settings
    wave = AudioCache(task.cache, settings.sample_rate)(item.clip)
    if settings.clip_s is not None:
        wave = _fitted(wave, max(1, round(settings.clip_s * settings.sample_rate)))
    with torch.inference_mode():
        spec: Spec = _front_end(settings)(torch.from_numpy(wave)[None])[0].numpy()
    return spec


def _fitted(wave: Any, length: int) -> Any:
    """The middle of a longer wave; a shorter one in the middle of silence."""
    before = (length - len(wave)) // 2
    if before < 0:
        return np.ascontiguousarray(wave[-before : length - before])
    return np.pad(wave, (before, length - len(wave) - before))


@lru_cache(maxsize=2)
def _front_end(settings: RenderSettings) -> Spectrogram:
    if multiprocessing.parent_process() is not None:
        torch.set_num_threads(1)  # processes share the processors already
    return settings.spectrogram.build(settings.sample_rate)


def _describe(
    settings: RenderSettings, material: Material, front_end: Spectrogram, key: str, tally: Tally
) -> dict[str, Any]:
    scaling = Scaling(tally.low, tally.high, settings.bits)
    parts = material.split.parts()
    counts = {part: Counter(clip.emotion for clip in clips) for part, clips in parts.items()}
    absent = [
        f"{part} has no {emotion}" for part in parts for emotion in material.emotions if not counts[part][emotion]
    ]
    layout = layout_of(front_end.n_channels, settings.bits)
    return {
        "emogram": emogram.__version__,
        "key": key,
        "formats": [],
        "settings": settings.model_dump(mode="json"),
        "emotions": list(material.emotions),
        "corpora": sorted({clip.corpus for clips in parts.values() for clip in clips}),
        "clips": {part: {emotion: counts[part][emotion] for emotion in material.emotions} for part in parts},
        "array": {
            "dtype": "float32",
            "shape": "[channels, rows, columns]",
            "rows": "the lowest first",
            "values": "as they come from the front end, neither scaled nor standardised",
        },
        "image": {
            "layout": layout,
            "rows": "the lowest at the bottom of the picture: image row r is array row F - 1 - r",
            "channels": _ORDER[layout],
        },
        "channels": [_channel(settings, front_end, tally, number) for number in range(front_end.n_channels)],
        "scaling": scaling.to_json(),
        "standardisation": {
            "mean": tally.mean[:, :, 0].tolist(),
            "deviation": tally.deviation[:, :, 0].tolist(),
            "formula": "(value - mean) / deviation, by channel and row; measured on the training part",
        },
        "axes": {
            "rows": {"quantity": front_end.axis.quantity, "values": front_end.axis.values.tolist()},
            "columns": {
                "seconds_per_column": front_end.hop_s(settings.sample_rate),
                "first_column_s": 0.0,
                "meaning": "time of a column's middle from the start of the wave" + _CUT[settings.clip_s is not None],
            },
        },
        "notes": [*material.split.notes, *absent],
    }


def _channel(settings: RenderSettings, front_end: Spectrogram, tally: Tally, number: int) -> dict[str, Any]:
    """What the values of a channel are: `unit_per_value` times a value is in the unit."""
    name = front_end.channels[number]
    unit, _ = unit_of(settings.spectrogram, front_end, name)
    factor = front_end.db_per_value or 1.0
    ends = (float(tally.low[number].min()), float(tally.high[number].max()))
    return {"name": name, "unit": unit, "unit_per_value": factor, "range": [factor * end for end in ends]}


_ORDER = {
    "grey": "one",
    "RGB": "in this order in red, green and blue",
    "side by side": "in this order from left to right, each as wide as the array",
}
_CUT = {False: "", True: ", once it is cut or padded"}
