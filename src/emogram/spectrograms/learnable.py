"""A front end that learns its filters."""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from emogram import filterbanks
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.settings import CompressedSettings, FramedSettings

_SILENT = 1e-20
"""Power added to every band: far under what is heard, it keeps the slope of a root finite on silence."""
_FAINTEST = 1e-20
"""Weights under it are zero: they lie far under the rounding of the spectrum, and the denormal numbers that a Gaussian ends
in, one in a hundred weights, made a processor take fifty times as long."""
_FARTHEST = 1 - math.log(_FAINTEST)
"""Squared distance from the centre, in deviations, from which on the weight is under `_FAINTEST` and no longer computed."""
_FWHM_PER_DEVIATION = 2 * np.sqrt(np.log(2))
"""Width at half height of exp(-x² / deviation²)."""


class GaborFilterbank(nn.Module):
    """Gaussian bands over the bins of a power spectrum, with centres and widths that are learnt.

    A Gabor filter has the power response exp(-((f - centre) / deviation)²); this is the power it would let through of a
    frame. LEAF (Zeghidour et al. 2021) learns the same two numbers a filter but runs the filters on every sample,
    several hundred times the arithmetic.

    Args:
        centres_hz: to start from, [F].
        widths_hz: at half height, to start from, [F].
        sample_rate: Hz.
        n_fft: of the spectrum.

    Shape:
        [B, N, 2 bins] -> [B, N, F]
    """

    places: Tensor

    def __init__(
        self,
        *,
        centres_hz: npt.NDArray[np.float64],
        widths_hz: npt.NDArray[np.float64],
        sample_rate: int,
        n_fft: int,
    ) -> None:
        super().__init__()
        nyquist_hz = sample_rate / 2
        # In parts of the range, so that a step of the optimiser is as large for every band.
        self.centres = nn.Parameter(torch.from_numpy(centres_hz / nyquist_hz).float())
        self.log_widths = nn.Parameter(torch.from_numpy(np.log(widths_hz / _FWHM_PER_DEVIATION / nyquist_hz)).float())
        places = np.arange(n_fft // 2 + 1).repeat(2) * 2 / n_fft
        self.register_buffer("places", torch.from_numpy(places[:, None]).float(), persistent=False)
        self.narrowest = 2 / n_fft

    def weights(self) -> Tensor:
        """Of the bands as they are learnt so far, [2 bins, F]."""
        centres = self.centres.clamp(0.0, 1.0)
        # A band narrower than a bin would miss them all.
        widths = self.log_widths.exp().clamp(self.narrowest, 1.0)
        distance = ((self.places - centres) / widths).square().clamp(max=_FARTHEST)
        return functional.threshold(torch.exp(-distance), _FAINTEST, 0.0)

    def forward(self, parts: Tensor) -> Tensor:
        """See the class."""
        power: Tensor = parts @ self.weights()
        return power + _SILENT


class GaborSettings(FramedSettings, CompressedSettings):
    """Learnt filterbank: Gabor filters after LEAF (Zeghidour et al. 2021), starting as mel bands, on the power spectrum."""

    name: Literal["gabor"] = "gabor"
    n_mels: int = Field(64, ge=4, le=1024, description="number of bands")
    fmin_hz: float = Field(50.0, ge=0, description="lower edge of the first band at the start")
    fmax_hz: float = Field(7600.0, gt=0, description="upper edge of the last band at the start")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        transform = self.power_spectrum(sample_rate)
        # Refuses the ranges and the empty bands that a mel filterbank refuses.
        filterbanks.mel(
            sample_rate=sample_rate, n_fft=self.n_fft, n_mels=self.n_mels, fmin_hz=self.fmin_hz, fmax_hz=self.fmax_hz
        )
        centres_hz = filterbanks.mel_centres_hz(n_mels=self.n_mels, fmin_hz=self.fmin_hz, fmax_hz=self.fmax_hz)
        edges_hz = np.concatenate([[self.fmin_hz], centres_hz, [self.fmax_hz]])
        bands = GaborFilterbank(
            centres_hz=centres_hz,
            widths_hz=(edges_hz[2:] - edges_hz[:-2]) / 2,
            sample_rate=sample_rate,
            n_fft=self.n_fft,
        )
        return Spectrogram(
            transform,
            bands,
            self.compressor(),
            axis=Axis(centres_hz),
            db_per_value=self.db_per_value,
        )
