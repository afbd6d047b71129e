"""What a student learns, in order: a teacher's frames, then the labels with teachers' answers beside them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from emogram.augmentation.waveform import WaveformAugmentation
from emogram.errors import TrainingError
from emogram.networks.classifier import Classifier
from emogram.training.batches import evaluation_order, training_order
from emogram.training.cache import AudioCache
from emogram.training.checkpoints import load_weights
from emogram.training.configuration import Configuration
from emogram.training.data import generator
from emogram.training.distillation.alignment import measure_grid
from emogram.training.distillation.frame_learner import FrameHistory, FrameLearner, FrameStudent
from emogram.training.distillation.frames import FrameBatch, FrameDataset, collate_frames
from emogram.training.distillation.heard import heard
from emogram.training.distillation.label_learner import LabelLearner
from emogram.training.distillation.settings import DistillationSettings
from emogram.training.distillation.soft_labels import soft_labels
from emogram.training.distillation.teacher import Teacher, TeacherFrames, load_teacher
from emogram.training.fit import LAST, checkpoint, fit, optimizer_steps, uses_bf16
from emogram.training.fit_settings import FitSettings
from emogram.training.learner import Learner
from emogram.training.material import Material
from emogram.training.run_folder import read_json, write_json

_FOLDER, _RESULT = "distillation", "result.json"


class Curriculum:
    """The distillation of one run.

    Everything that the settings name is read and checked at once, before anything is written.

    Args:
        settings: with the paths of this fold.
        configuration: of the run.
        material: of the run; of its test part only the speakers and recordings are looked at, so that no teacher knows them.
        classifier: whose network is the student.

    Raises:
        LeakError: a teacher has heard a test speaker.
        ConfigurationError: settings that rule each other out.
        ModelError: a teacher's file that is damaged or of another network.
    """

    def __init__(
        self, settings: DistillationSettings, configuration: Configuration, material: Material, classifier: Classifier
    ) -> None:
        self.settings, self.configuration, self.material = settings, configuration, material
        self.soft = soft_labels(settings, material)
        self.teacher: Teacher | None = None
        self._beside: tuple[FrameDataset, FrameStudent] | None = None
        if settings.teacher is None:
            return
        if settings.teacher.is_dir():
            field = "distillation.teacher"
            heard(settings.teacher, field).require_none_of(material.split.test, field)
        self.teacher = load_teacher(settings, configuration.audio.sample_rate)
        front_end = classifier.spectrogram
        grid = measure_grid(classifier.network, in_channels=front_end.n_channels, in_bands=front_end.n_bands)
        self.hop_s = front_end.hop_s(configuration.audio.sample_rate)
        self.grid = grid.in_seconds(self.hop_s)

    def learn_frames(
        self, classifier: Classifier, cache: AudioCache, folder: Path, say: Callable[[str], None] = lambda _: None
    ) -> None:
        """Fit the student to the teacher's frames, or continue that, or take what was learned if it is done.

        Leaves ``history.csv``, ``checkpoints/`` and, last, ``result.json`` in ``distillation/`` of the run folder.

        Args:
            classifier: with its standardisation measured; its network gets the averaged weights of the last epoch.
            cache: gives waves.
            folder: of the run.
            say: told what happens.
        """
        if self.teacher is None:
            return
        teacher = TeacherFrames(
            cache.folder,
            self.teacher,
            cache,
            self._heard_by_both(),
            student_step_s=self.grid.step,
        )
        before = _before_labels(self.configuration, self.settings)
        torch.manual_seed(int(generator(before.seed, "weights").integers(2**62)))
        student = FrameStudent(classifier, self.grid.channels, teacher.grid.channels)
        where = folder / _FOLDER
        if not (where / _RESULT).exists():
            where.mkdir(exist_ok=True)
            self._fill(teacher, say)
            unexplained = self._fit(student, teacher, cache, before, where)
            write_json(where / _RESULT, {"explained_variance": 1 - unexplained})
        student.cpu().load_state_dict(load_weights(checkpoint(where, LAST), "classifier."))
        student.zero_grad(set_to_none=True)
        say(f"distillation: {100 * self._explained(folder):.0f} % of the variance of the teacher's frames explained")
        if self.settings.weight:
            self._beside = (self._dataset(teacher, cache, "train", self.configuration.seed), student)

    def _heard_by_both(self) -> tuple[WaveformAugmentation, ...]:
        """The chain of the copies. Where the student has noise of its own, that of the chain is for the labels alone."""
        chain = self.configuration.augmentation.waveform
        if not self.settings.noise:
            return chain
        return tuple(step for step in chain if not step.adds_sound)

    def learner(self, classifier: Classifier, **options: Any) -> Learner:
        """What fits the labels; `options` as for `Learner`."""
        return LabelLearner(classifier, self.configuration, soft=self.soft, frames=self._beside, **options)

    def findings(self, folder: Path) -> dict[str, Any]:
        """What distillation came to, JSON-ready."""
        settings, found = self.settings, dict[str, Any]()
        if settings.teacher is not None:
            found |= {
                "teacher": settings.teacher.name,
                **settings.model_dump(include={"size", "block", "epochs", "copies", "weight"}),
                "explained_variance": self._explained(folder),
            }
        if self.soft is not None:
            found |= {
                "predictions": len(settings.predictions),
                "softly_labelled_clips": self.soft.count,
                **settings.model_dump(include={"temperature", "soft"}),
            }
        return found

    def _fill(self, teacher: TeacherFrames, say: Callable[[str], None]) -> None:
        parts = (
            (self.material.split.validation, range(1)),
            (self.material.split.train, range(self.settings.copies + 1)),
        )
        missing = sum(len(teacher.missing(clips, copies)) for clips, copies in parts)
        if missing:
            say(f"distillation: the teacher hears {missing} clips and augmented copies, once for all folds and runs")
        for clips, copies in parts:
            teacher.fill(clips, copies)

    def _fit(
        self, student: FrameStudent, teacher: TeacherFrames, cache: AudioCache, before: Configuration, where: Path
    ) -> float:
        """Part of the variance that is left unexplained at the end."""
        train = self._dataset(teacher, cache, "train", before.seed)
        validation = self._dataset(teacher, cache, "validation", before.seed)
        student.measure(
            [
                frames[real > 0]
                for frames, real in (
                    train.averaged(teacher(clip, 0), len(cache(clip))) for clip in self.material.measured()
                )
            ]
        )
        order = training_order(train.clips.targets, before)
        lengths = evaluation_order(validation.clips)
        training = DataLoader[FrameBatch](train, batch_sampler=order, collate_fn=collate_frames)  # type: ignore[arg-type]
        held_out = DataLoader[FrameBatch](validation, batch_sampler=lengths, collate_fn=collate_frames)  # type: ignore[arg-type]
        bf16 = uses_bf16(before.runtime)
        learner = FrameLearner(student, before, steps=optimizer_steps(len(training), before), weights=None, bf16=bf16)
        history = fit(learner, training, held_out, where, kept=FrameHistory)
        return float(history.epochs[-1].validation_loss)

    def _dataset(self, teacher: TeacherFrames, cache: AudioCache, part: str, seed: int) -> FrameDataset:
        """The training part in crops of augmented copies, or the validation part as it is."""
        training = part == "train"
        return FrameDataset(
            self.material.dataset(part, cache),
            teacher,
            self.grid,
            self.hop_s,
            copies=self.settings.copies if training else 0,
            seed=seed,
            crop_s=self.configuration.audio.clip_s if training else None,
            noise=self.settings.noise if training else (),
        )

    def _explained(self, folder: Path) -> float:
        path = folder / _FOLDER / _RESULT
        try:
            return float(read_json(path, remedy="delete it and train again")["explained_variance"])
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"{path}: damaged (it tells no variance); delete it and train again") from error


def curriculum(configuration: Configuration, material: Material, classifier: Classifier) -> Curriculum | None:
    """The distillation of a run, or None where none is configured. Raises as `Curriculum`."""
    if configuration.distillation is None:
        return None
    settings = configuration.distillation.of_fold(configuration.split.fold)
    return Curriculum(settings, configuration, material, classifier)


def _before_labels(configuration: Configuration, settings: DistillationSettings) -> Configuration:
    """The configuration of the fit to frames, with a seed of its own: its draws are not those of the fit to labels."""
    chosen = FitSettings.model_validate(
        {
            "epochs": settings.epochs,
            "batch_size": configuration.fit.batch_size,
            "optimizer": {"learning_rate": settings.learning_rate},
            "monitor": "validation_loss",
        }
    )
    seed = int(generator(configuration.seed, "distillation").integers(2**62))
    changes: dict[str, Any] = {"name": f"{configuration.name}, frames", "fit": chosen, "seed": seed}
    if configuration.transfer is not None:
        # How slowly what was loaded learns, and when, is about the labels.
        changes["transfer"] = configuration.transfer.model_copy(
            update={"rate": 1.0, "layer_decay": 1.0, "unfreeze_every": 0}
        )
    return configuration.model_copy(update=changes)
