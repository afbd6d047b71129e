"""Voice activity: when somebody speaks.

A frame is active where its bands stand out of the noise floor, which is followed as the minimum of the smoothed power over
two seconds before and after (after Martin 2001, "Noise power spectral density estimation based on optimal smoothing and
minimum statistics"). A stretch of active frames counts as voice where some of them repeat at the period of a voice, which
rain, wind, clicks and applause do not. So whispering is not found, and what sings or barks is taken for a voice.

Why no trained detector: `docs/results/recognition.md`.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emogram.audio import Wave
from emogram.recognition.frames import HOP_S, FrameMeter, Frames, Values, decibels, join

_CELL = 12
"""Frames over which one minimum is taken: 0.24 s."""

_REACH = 8
"""Cells before and after that the noise floor looks at: 2 s each way."""

_SMOOTHING = 5
_FLOOR_BIAS_DB = 3.0
_ACTIVE_DB = 3.5
_LOUDEST_RANGE_DB = 40.0
_SILENCE_DB = -75.0
_PERIODIC = 0.6
_LEAST_PERIODIC_S = 0.1
_BRIDGED_S, _SHORTEST_S, _PADDING_S = 0.3, 0.12, 0.08

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of speech, in seconds from the start of the recording."""

    start_s: float
    end_s: float


def decide(frames: Frames) -> Flags:
    """Whether each frame stands out of the noise around it, [N]."""
    count = len(frames)
    if not count:
        return np.zeros(0, np.bool_)
    cells = -(-count // _CELL)
    floor = _around(_by_cell(_smooth(frames.bands_db), cells, np.inf).min(axis=1), np.minimum)
    loudest = _around(_by_cell(frames.level_db[:, np.newaxis], cells, -np.inf).max(axis=1), np.maximum)
    of_frame = np.arange(count) // _CELL
    above_db = np.clip(frames.bands_db - floor[of_frame] - _FLOOR_BIAS_DB, 0, 30).mean(axis=1)
    near_loudest = frames.level_db > np.maximum(loudest[of_frame, 0] - _LOUDEST_RANGE_DB, _SILENCE_DB)
    active: Flags = (above_db > _ACTIVE_DB) & near_loudest
    return active


def _smooth(bands_db: Values) -> Values:
    """The moving average of the power, over `_SMOOTHING` frames, those outside counted as the nearest one."""
    power = np.pad(10 ** (bands_db / 10), ((_SMOOTHING // 2, _SMOOTHING // 2), (0, 0)), mode="edge")
    # Summed frame by frame, so that a frame's mean does not depend on where the block began.
    mean = np.zeros_like(bands_db)
    for shift in range(_SMOOTHING):
        mean += power[shift : shift + len(bands_db)]
    return decibels(mean / np.float32(_SMOOTHING))


def _by_cell(values: Values, cells: int, filling: float) -> Values:
    padded = np.pad(values, ((0, cells * _CELL - len(values)), (0, 0)), constant_values=filling)
    return padded.reshape(cells, _CELL, -1)


def _around(values: Values, choose: np.ufunc) -> Values:
    """The extreme over `_REACH` cells each way."""
    result = values.copy()
    for shift in range(1, min(_REACH, len(values) - 1) + 1):
        result[shift:] = choose(result[shift:], values[:-shift])
        result[:-shift] = choose(result[:-shift], values[shift:])
    return result


class VoiceActivity:
    """Follows a wave of any length in blocks; what it finds does not depend on how the blocks fall.

    It keeps 13 bytes a frame, 2.4 MB an hour.

    Args:
        sample_rate: of the wave, in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._meter = FrameMeter(sample_rate)
        self._ahead: list[Frames] = []
        self._begun = 0  # the frame that `_ahead` begins with, a multiple of the cell
        self._decided = 0
        self._active = bytearray()
        self._kept: list[Frames] = []

    @property
    def frontier_s(self) -> float:
        """Up to where it has been decided."""
        return self._decided * HOP_S

    def feed(self, block: Wave) -> None:
        """Listen to the next block [T]."""
        self._ahead.append(self._meter.feed(block))
        known = self._begun + sum(map(len, self._ahead))
        ready = known // _CELL - _REACH - 1  # the smoothing of the last cell that is looked at needs some of the next
        if ready * _CELL - self._decided >= _REACH * _CELL:
            self._decide(ready * _CELL)

    def close(self) -> None:
        """The wave is at its end: decide the rest."""
        self._ahead.append(self._meter.close())
        self._decide(self._begun + sum(map(len, self._ahead)))

    def _decide(self, end: int) -> None:
        frames = join(self._ahead)
        part = slice(self._decided - self._begun, end - self._begun)
        self._active += decide(frames)[part].tobytes()
        self._kept.append(dataclasses.replace(frames[part], bands_db=np.empty((end - self._decided, 0), np.float32)))
        # One cell more than the floor reaches: the first that stays is smoothed without the frames before it.
        begin = max(0, end - (_REACH + 1) * _CELL)
        self._ahead = [frames[begin - self._begun :]]
        self._begun, self._decided = begin, end

    def active(self) -> Flags:
        """Which frames stand out of the noise, [N]."""
        return np.frombuffer(bytes(self._active), np.bool_)

    def any_active(self, start_s: float, end_s: float) -> bool:
        """Whether any frame that has been decided stands out between two times."""
        return 1 in self._active[max(0, int(start_s / HOP_S) - 1) : int(end_s / HOP_S) + 1]

    def frames(self) -> Frames:
        """The measurements that have been decided on, without their bands, [N]."""
        return join(self._kept)


def speech(active: Flags, periodicity: Values) -> list[Interval]:
    """The stretches of speech: active frames without short gaps, long enough, and somewhere voiced.

    Args:
        active: as `decide` says, [N].
        periodicity: of the same frames, [N].
    """
    starts, ends = _runs(active)
    bridged = np.flatnonzero((starts[1:] - ends[:-1]) * HOP_S > _BRIDGED_S)
    starts = starts[np.concatenate(([0], bridged + 1))] if len(starts) else starts
    ends = ends[np.concatenate((bridged, [len(ends) - 1]))] if len(ends) else ends
    voiced = np.concatenate(([0], np.cumsum(active & (periodicity > _PERIODIC))))
    found: list[Interval] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        long_enough = (end - start) * HOP_S >= _SHORTEST_S
        if long_enough and (voiced[end] - voiced[start]) * HOP_S >= _LEAST_PERIODIC_S:
            before = found[-1].end_s if found else 0.0
            found.append(Interval(max(before, start * HOP_S - _PADDING_S), (end + 1) * HOP_S + _PADDING_S))
    return found


def _runs(flags: Flags) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First frame, and frame after the last, of each run of true ones."""
    edges = np.diff(np.concatenate(([False], flags, [False])).astype(np.int8))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
