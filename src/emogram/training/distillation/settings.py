"""What a student learns from which teachers."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from emogram.augmentation import WaveformStep
from emogram.networks.whisper import SIZES
from emogram.training.origins import weights_of
from emogram.training.settings import Settings
from emogram.training.transfer import file_sha256

SizeName = Literal["whisper-tiny", "whisper-base", "whisper-small"]

_FOLD = "{fold}"


class DistillationSettings(Settings):
    """A teacher's frames before the labels (FitNets, Romero et al. 2015) and its answers beside them (Hinton et al. 2015).

    ``{fold}`` in a path stands for the number of the fold that is tested, so that each fold has teachers of its own.
    """

    teacher: Path | None = Field(
        None, description="safetensors file of Whisper's publisher, or the folder of a run that fine-tuned it"
    )
    size: SizeName = Field("whisper-base", description="of the teacher")
    block: int = Field(3, ge=1, le=12, description="whose outputs are learned, counted from the first")
    epochs: int = Field(12, ge=1, le=10_000, description="over the training part before the labels")
    learning_rate: float = Field(2e-3, gt=0, le=10, description="highest rate before the labels (AdamW, one cycle)")
    copies: int = Field(2, ge=0, le=100, description="augmented copies of each clip that the teacher hears as well")
    noise: tuple[WaveformStep, ...] = Field(
        (), description="chain that the student hears in its frames and the teacher does not; nothing that changes time"
    )
    weight: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="of the loss of frames beside that of the labels; 0: frames come first, then labels",
    )
    predictions: tuple[Path, ...] = Field(
        (), max_length=1000, description="predictions of teachers, in the folders of the runs that made them"
    )
    temperature: float = Field(2.0, gt=0, le=100, description="softens the answers of teachers and student alike")
    soft: float = Field(0.5, ge=0, le=1, description="share of the teachers' answers in the loss, beside the labels")

    @field_validator("noise")
    @classmethod
    def _in_time(cls, chain: tuple[WaveformStep, ...]) -> tuple[WaveformStep, ...]:
        for step in chain:
            if not step.keeps_time:
                raise ValueError(
                    f"{step.name} changes when things happen, and the teacher does not hear it; leave it out"
                )
        return chain

    @model_validator(mode="after")
    def _consistent(self) -> "DistillationSettings":
        if self.teacher is None and not self.predictions:
            raise ValueError("nothing to learn from; give teacher, predictions or both")
        if self.teacher is None and self.weight:
            raise ValueError(f"weight={self.weight:g} without frames to learn; give teacher, or choose 0")
        published = SIZES[self.size.removeprefix("whisper-")].blocks
        if self.block > published:
            raise ValueError(f"block={self.block}: {self.size} has {published} blocks; choose at most that")
        return self

    def of_fold(self, fold: int) -> "DistillationSettings":
        """The same with the number of the fold in its paths."""
        return self.model_copy(
            update={
                "teacher": None if self.teacher is None else _of_fold(self.teacher, fold),
                "predictions": tuple(_of_fold(path, fold) for path in self.predictions),
            }
        )

    def determinants(self, fold: int) -> dict[str, Any]:
        """The fields that the result depends on, JSON-ready: what the files of this fold hold, not where they lie.

        Raises:
            ConfigurationError: a file cannot be read.
        """
        chosen = self.of_fold(fold)
        fields = self.model_dump(mode="json")
        if not self.noise:  # a field that came later is no part of what a run is without it
            del fields["noise"]
        if chosen.teacher is not None:
            fields["teacher"] = file_sha256(
                weights_of(chosen.teacher), "distillation.teacher", "a safetensors file or a finished run"
            )
        fields["predictions"] = [
            file_sha256(path, "distillation.predictions", "the predictions of a run") for path in chosen.predictions
        ]
        return fields


def _of_fold(path: Path, fold: int) -> Path:
    return Path(str(path).replace(_FOLD, str(fold)))
