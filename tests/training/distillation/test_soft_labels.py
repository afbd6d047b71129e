"""Teachers' answers: from whom, softened how, and what they add to the loss."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emogram.augmentation.batch import Examples, MixupDraw
from emogram.corpora import Clip
from emogram.errors import ConfigurationError, LeakError
from emogram.evaluation.predictions import Predictions, write_predictions
from emogram.training.building import build_classifier
from emogram.training.data import Batch
from emogram.training.distillation.label_learner import LabelLearner
from emogram.training.distillation.settings import DistillationSettings
from emogram.training.distillation.soft_labels import SoftLabels, soft_labels
from emogram.training.material import Material
from tests.training import runs
from tests.training.distillation.teachers import run_folder


def answers(path: Path, clips: Sequence[Clip], emotions: Sequence[str], seed: int = 0) -> np.ndarray:
    """A file of random answers; its probabilities."""
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(len(emotions)), len(clips)).astype(np.float32)
    write_predictions(path, Predictions.from_clips(clips, probabilities, emotions))
    return probabilities


def teacher(
    folder: Path, split: Material, fitted: Sequence[Clip], spoken: Sequence[Clip], seed: int
) -> tuple[Path, np.ndarray]:
    """A teacher that was trained on some training clips, tested on others, and what it says of the latter."""
    run = run_folder(folder, {"train": fitted, "test": spoken})
    path = run / "predictions-test.csv"
    return path, answers(path, spoken, split.emotions, seed)


def of(*paths: Path, **fields: Any) -> DistillationSettings:
    return DistillationSettings(predictions=paths, **fields)


def test_a_clip_has_the_mean_of_the_teachers_that_were_not_trained_on_it(split: Material, tmp_path: Path) -> None:
    clips = split.split.train
    first, second, third = clips[:4], clips[4:8], clips[8:]
    one, one_says = teacher(tmp_path / "one", split, first, (*second, *third), seed=1)
    other, other_says = teacher(tmp_path / "other", split, second, (*first, *third), seed=2)
    # What a teacher says of the clips that it was trained on lies in its run as well, and is not listened to.
    answers(tmp_path / "one" / "predictions-train.csv", first, split.emotions, seed=3)
    given = soft_labels(of(one, other, tmp_path / "one" / "predictions-train.csv", temperature=2.0), split)
    assert given is not None
    roots = [np.sqrt(says) / np.sqrt(says).sum(axis=1, keepdims=True) for says in (one_says, other_says)]
    expected = np.concatenate([roots[1][:4], roots[0][:4], (roots[0][4:] + roots[1][4:]) / 2])
    np.testing.assert_allclose(given.probabilities.numpy(), expected, atol=1e-5)
    assert given.count == len(clips)


def test_a_clip_that_every_teacher_knows_has_none(split: Material, tmp_path: Path) -> None:
    clips = split.split.train
    path, _ = teacher(tmp_path / "run", split, clips[:-2], clips[-2:], seed=1)
    given = soft_labels(of(path), split)
    assert given is not None
    assert given.known.tolist() == [0.0] * (len(clips) - 2) + [1.0, 1.0]
    assert float(given.probabilities[:-2].abs().max()) == 0


def test_of_pooled_folds_the_one_that_tested_a_clip_speaks(split: Material, tmp_path: Path) -> None:
    clips = split.split.train
    half = len(clips) // 2
    for fold, (fitted, tested) in enumerate(((clips[:half], clips[half:]), (clips[half:], clips[:half])), start=1):
        run_folder(tmp_path / f"fold-{fold}", {"train": fitted, "test": tested})
    path = tmp_path / "predictions-test.csv"
    says = answers(path, clips, split.emotions)
    given = soft_labels(of(path, temperature=1.0), split)
    assert given is not None
    np.testing.assert_allclose(given.probabilities.numpy(), says, atol=1e-5)


def test_a_teacher_that_knows_a_test_speaker_is_refused(split: Material, tmp_path: Path) -> None:
    path, _ = teacher(tmp_path / "run", split, split.split.test[:1], split.split.train, seed=1)
    with pytest.raises(
        LeakError, match=rf"distillation\.predictions=.*run: learned from {split.split.test[0].speaker}"
    ):
        soft_labels(of(path), split)


def test_answers_that_help_nobody_are_refused(split: Material, tmp_path: Path) -> None:
    clips = split.split.train
    run = run_folder(tmp_path / "run", {"train": clips})
    answers(run / "predictions-train.csv", clips, split.emotions)
    with pytest.raises(
        ConfigurationError, match=r"say nothing of the \d+ training clips that their own teachers were not"
    ):
        soft_labels(of(run / "predictions-train.csv"), split)
    few = [clip for clip in clips if clip.emotion == "sad"]
    other = run_folder(tmp_path / "other", {"test": few})
    answers(other / "predictions-test.csv", few, ("sad", "calm"))
    with pytest.raises(ConfigurationError, match=r"its teacher does not know '\w+', which synthetic has") as refusal:
        soft_labels(of(other / "predictions-test.csv"), split)
    assert "\n" not in str(refusal.value)


K = 5
"""Emotions, of which the corpus lacks the last."""


def made_up(share: float = 0.3) -> tuple[LabelLearner, Batch, torch.Tensor]:
    """A learner with answers for three of four clips, a batch of them, and logits."""
    torch.manual_seed(0)
    allowed = torch.tensor([[True, True, True, True, False]]).expand(4, K)
    probabilities = torch.rand(4, K) * allowed
    probabilities = probabilities / probabilities.sum(dim=1, keepdim=True)
    known = torch.tensor([1.0, 1.0, 0.0, 1.0])
    soft = SoftLabels(probabilities * known[:, None], known, temperature=3.0, share=share)
    configuration = runs.Material(Path("none"), Path("none")).configuration("fit.label_smoothing=0.1")
    classifier = build_classifier(configuration, K)
    learner = LabelLearner(
        classifier, configuration, soft=soft, frames=None, steps=1, weights=None, bf16=False, frozen=None
    )
    index, target = torch.tensor([3, 0, 2, 1]), torch.tensor([0, 1, 2, 3])
    batch = Batch(torch.zeros(4, 100), torch.full((4,), 100), target, allowed, index)
    return learner, batch, torch.randn(4, K)


def expected(soft: SoftLabels, batch: Batch, logits: torch.Tensor, weight: float, partner: Sequence[int]) -> float:
    """The formula, clip by clip in double precision."""
    total, z = 0.0, logits.double()[:, :4]
    for clip in range(4):
        cold, warm = torch.log_softmax(z[clip], 0), torch.log_softmax(z[clip] / soft.temperature, 0)
        for source, part in ((clip, weight), (partner[clip], 1 - weight)):
            row = int(batch.index[source])
            share = soft.share * float(soft.known[row])
            hard = torch.full((4,), 0.1 / 4, dtype=torch.float64)
            hard[batch.target[source]] += 0.9
            total -= part * (1 - share) * float((hard * cold).sum())
            answered = float((soft.probabilities[row, :4].double() * warm).sum())
            total -= part * share * soft.temperature**2 * answered
    return total / 4


@pytest.mark.parametrize("mixed", [False, True])
def test_the_loss_is_that_of_labels_and_of_answers_at_their_temperature(mixed: bool) -> None:
    learner, batch, logits = made_up()
    assert learner.soft is not None
    partner = [1, 3, 0, 2]
    examples = Examples(torch.zeros(4, 1, 2, 3), learner.targets(batch), batch.allowed, None)
    if mixed:
        examples = MixupDraw(weight=0.7, partner=tuple(partner)).apply(examples)
    given = learner.loss(logits, examples.targets, examples.allowed)
    weight = 0.7 if mixed else 1.0
    assert float(given) == pytest.approx(expected(learner.soft, batch, logits, weight, partner), rel=1e-5)


def test_without_a_share_only_labels_count() -> None:
    learner, batch, logits = made_up(share=0.0)
    assert learner.soft is not None
    learner.soft, soft = None, learner.soft
    hard = torch.full((4, K), 0.1 / 4) * batch.allowed
    hard[torch.arange(4), batch.target] += 0.9
    torch.testing.assert_close(learner.targets(batch), hard)
    plain = learner.loss(logits, hard, batch.allowed)
    learner.soft = soft
    torch.testing.assert_close(learner.loss(logits, learner.targets(batch), batch.allowed), plain)
