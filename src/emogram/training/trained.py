"""A run that is done, heard again: on waves that it never saw, without a model file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from emogram.corpora.clip import Clip
from emogram.errors import TrainingError
from emogram.evaluation.calibration import apply_temperature
from emogram.recognition.windows import Windows
from emogram.training.building import build_classifier, load_best
from emogram.training.configuration import Configuration
from emogram.training.fit import LAST, checkpoint
from emogram.training.material import prepare
from emogram.training.outcome import describe_model
from emogram.training.run_folder import finished


class TrainedRun:
    """The network of a run as `emogram.training.run.train` left it, and its calibration.

    It answers as the exported model does, to a ten-thousandth, and costs no export.

    Args:
        configuration: of the run.
        folder: of the run.
        clips: that it split.

    Raises:
        TrainingError: the folder holds no finished run of this configuration.
        EmogramError: as `emogram.training.run.train`.
    """

    def __init__(self, configuration: Configuration, folder: Path, clips: Sequence[Clip]) -> None:
        material = prepare(configuration, clips)
        found = finished(folder, material.identity(configuration))
        if found is None:
            raise TrainingError(f"{folder}: holds no finished run of this configuration; train it first")
        self._classifier = build_classifier(configuration, len(material.emotions))
        load_best(self._classifier, folder)
        self._info = describe_model(configuration, material, self._classifier)
        self._temperature = float(found["temperature"])
        self.emotions: tuple[str, ...] = material.emotions
        self.sample_rate: int = configuration.audio.sample_rate

    @torch.inference_mode()
    def probabilities(self, wave: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Probabilities [K] of a wave [T]: the mean over the windows that the recogniser would cut."""
        windows = (torch.from_numpy(window.copy())[None] for window in Windows(self._info).cut([wave]))
        logits = np.concatenate([self._classifier(window).numpy() for window in windows])
        mean: npt.NDArray[np.float64] = apply_temperature(logits, self._temperature).mean(axis=0)
        return mean


def drop_state(folder: Path) -> None:
    """Remove from a run that is done what only an unfinished one needs: the last checkpoint."""
    checkpoint(folder, LAST).unlink(missing_ok=True)
