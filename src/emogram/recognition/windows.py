"""Cutting a wave that comes in blocks into the windows that a model takes."""

from collections.abc import Iterable, Iterator

import numpy as np

from emogram.audio import Wave
from emogram.recognition.model_file import ModelInfo


class Windows:
    """Cuts a stream of blocks into the windows that a model takes, and counts its samples.

    Args:
        info: of the model; its ``min_s``, ``window_s`` and ``sample_rate`` count.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._shortest = max(1, round(info.min_s * info.sample_rate))
        self._size = max(2, round(info.window_s * info.sample_rate))
        self._hop = self._size // 2
        self.hop_s = self._hop / info.sample_rate
        self.samples = 0

    def cut(self, blocks: Iterable[Wave]) -> Iterator[Wave]:
        """All of a short recording, padded to the shortest length; else overlapping windows, the last up to the end."""
        passed = rest = np.empty(0, np.float32)
        for block in blocks:
            self.samples += len(block)
            rest = np.concatenate((rest, block))
            while len(rest) > self._size:
                yield rest[: self._size]
                passed, rest = rest[: self._hop], rest[self._hop :]
        missing = self._size - len(rest)
        last = np.concatenate((passed[len(passed) - missing :], rest)) if passed.size and missing else rest
        yield np.pad(last, (0, max(0, self._shortest - len(last))))


class Grid:
    """Cuts a stream of blocks into windows that begin every hop, however the blocks fall.

    A last window reaches back from the end, where the windows before did not get there.

    Args:
        size: of a window, in samples.
        hop: from the begin of one to the next, in samples.
        shortest: a recording shorter than a window is one window, padded with zeros to this.
    """

    def __init__(self, size: int, hop: int, shortest: int) -> None:
        self._size, self._hop, self._shortest = size, hop, shortest
        self._kept = np.empty(0, np.float32)
        self._begun = 0  # the sample that `_kept` begins with
        self._next = 0
        self.samples = 0

    def feed(self, block: Wave) -> list[tuple[int, Wave]]:
        """The windows that this block completes, each with the sample it begins with."""
        self.samples += len(block)
        wave = np.concatenate((self._kept, block))
        windows = []
        while self._next + self._size <= self.samples:
            start = self._next - self._begun
            windows.append((self._next, wave[start : start + self._size].copy()))
            self._next += self._hop
        begin = max(self._begun, min(self._next, self.samples - self._size))
        self._kept = wave[begin - self._begun :].copy()
        self._begun = begin
        return windows

    def close(self) -> list[tuple[int, Wave]]:
        """The last window, if there is anything that the others did not hold."""
        covered = self._next - self._hop + self._size if self._next else 0
        if self.samples <= covered:
            return []
        start = max(0, self.samples - self._size)
        last = self._kept[start - self._begun :]
        return [(start, np.pad(last, (0, max(0, self._shortest - len(last)))))]
