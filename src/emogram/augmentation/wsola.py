"""WSOLA: another duration at the same pitch, by cutting a wave into pieces and joining them where they match.

Verhelst and Roelands 1993, An overlap-add technique based on waveform similarity (WSOLA) for high quality time-scale
modification of speech. Pieces are long beside their cross-fades: a small change needs few joints, and between them the
wave is the recording itself.
"""

import numpy as np
import numpy.typing as npt

from emogram.augmentation.recordings import Wave

_PIECE_MS, _FADE_MS = 60.0, 15.0
_SEARCH_MS = 10.0
"""Half of where a joint is searched: the whole covers a period of the lowest voices, 50 Hz."""


def stretched(wave: Wave, length: int, *, sample_rate: int) -> Wave:
    """The wave [T] as long as `length` samples, at the same pitch.

    The first piece is the start of the wave. Each next one is taken within 10 ms of where an even change of tempo would
    take it, at the place most like what follows the last piece in the recording (largest normalised correlation).

    Args:
        wave: [T], at least one sample.
        length: wanted, samples.
        sample_rate: Hz.
    """
    piece, fade, search = (max(2, round(ms * sample_rate / 1000)) for ms in (_PIECE_MS, _FADE_MS, _SEARCH_MS))
    count = -(-length // piece)
    padded = np.pad(wave, (search, piece + 2 * fade + 3 * search))
    # [count], in padded samples: the first place of the search for each piece.
    firsts = np.minimum(np.arange(count) * piece * len(wave) // length, len(wave))
    starts = _matches(padded, firsts, piece=piece, fade=fade, places=2 * search + 1)
    starts[0] = search
    windows = np.lib.stride_tricks.sliding_window_view(padded, piece + fade)[starts]
    pieces = windows[:, :piece].copy()
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)).astype(np.float32)
    pieces[1:, :fade] = windows[1:, :fade] * rise + windows[:-1, piece:] * (1 - rise)
    return pieces.reshape(-1)[:length]


def _matches(padded: Wave, firsts: npt.NDArray[np.intp], *, piece: int, fade: int, places: int) -> npt.NDArray[np.intp]:
    """Where each piece starts: the best of `places` from its first one on."""
    starts = np.zeros(len(firsts), np.intp)
    last = places // 2
    for number, first in enumerate(firsts.tolist()[1:], start=1):
        follows = last + piece
        # Nothing is more like what follows than what follows itself: while it is in reach, the recording goes on.
        last = follows if first <= follows < first + places else first + _best(padded, first, follows, fade, places)
        starts[number] = last
    return starts


def _best(padded: Wave, first: int, follows: int, fade: int, places: int) -> int:
    """The place from `first` on whose next `fade` samples correlate best with those at `follows`."""
    searched = padded[first : first + places + fade - 1]
    energy = np.concatenate([[0.0], np.cumsum(np.square(searched, dtype=np.float64))])
    level = np.sqrt(np.maximum(energy[fade:] - energy[:-fade], 1e-12))
    return int(np.argmax(np.correlate(searched, padded[follows : follows + fade], "valid") / level))
