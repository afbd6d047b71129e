"""Filters whose width follows their pitch: constant-Q, variable-Q, their chroma, and the Morlet scalogram."""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from typing_extensions import override

from emogram import filterbanks
from emogram.errors import ConfigurationError
from emogram.spectrograms.chroma import PITCH_CLASSES
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.multirate import Atom, MultirateCorrelation
from emogram.spectrograms.settings import CompressedSettings, TypeSettings, samples
from emogram.spectrograms.stages import BinPower, Matrix, PerFramePeak, RootCompression


class OctaveSettings(TypeSettings):
    """Settings of a type whose bins are evenly spaced in pitch."""

    hop_ms: float = Field(10.0, gt=0, le=1000, description="step from frame to frame")
    fmin_hz: float = Field(55.0, ge=10, description="centre of the first bin")
    n_bins: int = Field(84, ge=4, le=1024, description="number of bins")
    bins_per_octave: int = Field(12, ge=4, le=96, description="bins to the octave")

    def centres_hz(self) -> npt.NDArray[np.float64]:
        """Centre of each bin, Hz, shape [n_bins]."""
        return np.asarray(self.fmin_hz * 2.0 ** (np.arange(self.n_bins) / self.bins_per_octave))

    def transform_of(self, atoms: list[Atom], hop_length: int, sample_rate: int) -> MultirateCorrelation:
        """The filters, one an atom. Raises `ConfigurationError` as `build` does."""
        longest = round(2 * atoms[0].reach_s * sample_rate)
        if hop_length > longest:
            raise ConfigurationError(
                f"hop_ms={self.hop_ms:g}: longer than the longest window of {1000 * longest / sample_rate:g} ms; choose a shorter one"
            )
        if atoms[-1].top_hz > sample_rate / 2:
            raise ConfigurationError(
                f"n_bins={self.n_bins}: the last filter reaches to {atoms[-1].top_hz:.0f} Hz, above half the sample rate; "
                "choose fewer bins or a lower fmin_hz"
            )
        return MultirateCorrelation(atoms, hop_length, sample_rate)


class _PowerSettings(OctaveSettings, CompressedSettings):
    def power_of(self, atoms: list[Atom], sample_rate: int) -> Spectrogram:
        """The compressed power that the filters let through. Raises `ConfigurationError` as `build` does."""
        return Spectrogram(
            self.transform_of(atoms, samples(self.hop_ms, sample_rate), sample_rate),
            BinPower(0, self.n_bins),
            self.compressor(),
            axis=Axis(self.centres_hz()),
            db_per_value=self.db_per_value,
        )


def _constant_q_atoms(
    centres_hz: npt.NDArray[np.float64], bins_per_octave: int, gamma_hz: float, sample_rate: int
) -> list[Atom]:
    """Hann windows of Q / (f + gamma Q) seconds; Q and the scale by the root of the length are librosa's."""
    step = 2.0 ** (2.0 / bins_per_octave)
    width = (step - 1.0) / (step + 1.0)
    atoms = []
    for centre_hz in centres_hz:
        width_s = 1.0 / (width * float(centre_hz) + gamma_hz)
        # The window sums to half its length; with unit sum times the root of the length.
        gain = 2.0 / math.sqrt(width_s * sample_rate)
        atoms.append(Atom(float(centre_hz), width_s, "hann", gain))
    return atoms


class CQTSettings(_PowerSettings):
    """Constant-Q transform (Brown 1991): power of bins evenly spaced in pitch, each window as many periods long."""

    name: Literal["cqt"] = "cqt"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        atoms = _constant_q_atoms(self.centres_hz(), self.bins_per_octave, 0.0, sample_rate)
        return self.power_of(atoms, sample_rate)


class VQTSettings(_PowerSettings):
    """Variable-Q transform (Schörkhuber et al. 2014): as constant-Q, with shorter windows at low frequencies."""

    name: Literal["vqt"] = "vqt"
    gamma_hz: float = Field(20.0, ge=0, le=1000, description="added to the width of every filter; 0: constant-Q")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        atoms = _constant_q_atoms(self.centres_hz(), self.bins_per_octave, self.gamma_hz, sample_rate)
        return self.power_of(atoms, sample_rate)


class ChromaCQTSettings(OctaveSettings):
    """Chroma of the constant-Q transform: magnitudes summed over octaves, C first, each frame's peak at 1."""

    name: Literal["chroma_cqt"] = "chroma_cqt"
    floor: float = Field(1e-6, ge=1e-7, le=1, description="added to the peak that a frame is divided by")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        fold = filterbanks.fold_octaves(n_bins=self.n_bins, bins_per_octave=self.bins_per_octave, fmin_hz=self.fmin_hz)
        atoms = _constant_q_atoms(self.centres_hz(), self.bins_per_octave, 0.0, sample_rate)
        return Spectrogram(
            self.transform_of(atoms, samples(self.hop_ms, sample_rate), sample_rate),
            BinPower(0, self.n_bins),
            RootCompression(0.5),
            Matrix(fold),
            PerFramePeak(self.floor),
            axis=PITCH_CLASSES,
        )


class ScalogramSettings(_PowerSettings):
    """Scalogram: power of the continuous wavelet transform with Morlet wavelets (Torrence and Compo 1998), every hop.

    Wavelets have unit energy. They are cut 4.5 deviations from their middle, 4e-5 of its height.
    """

    name: Literal["scalogram"] = "scalogram"
    n_bins: int = Field(76, ge=4, le=1024, description="number of bins")
    cycles: float = Field(6.0, ge=5, le=50, description="omega_0: 2 pi f times the deviation of the window, radians")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        atoms = []
        for centre_hz in self.centres_hz():
            width_s = self.cycles / (2 * math.pi * float(centre_hz))
            gain = math.pi**-0.25 / math.sqrt(width_s * sample_rate)
            atoms.append(Atom(float(centre_hz), width_s, "gaussian", gain))
        return self.power_of(atoms, sample_rate)
