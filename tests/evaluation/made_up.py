"""Predictions with a known structure for the tests of evaluation."""

import numpy as np

from emogram.emotions import EMOTIONS
from emogram.evaluation import Predictions


def predictions(
    seed: int = 0,
    *,
    n_speakers: int = 8,
    clips_each: int = 24,
    n_emotions: int = 6,
    skill: float = 1.5,
    spread: float = 0.5,
) -> Predictions:
    """Clips of speakers who are recognised more or less well; ``spread`` is the deviation of skill between them."""
    rng = np.random.default_rng(seed)
    truth = np.tile(np.arange(clips_each) % n_emotions, n_speakers)
    speaker = np.repeat(np.arange(n_speakers), clips_each)
    logits = rng.gumbel(size=(len(truth), n_emotions))
    logits[np.arange(len(truth)), truth] += (skill + spread * rng.standard_normal(n_speakers))[speaker]
    raised = np.exp(logits)
    return Predictions(
        clip_ids=tuple(f"made/{index:05d}" for index in range(len(truth))),
        corpora=("made",) * len(truth),
        speakers=tuple(f"made-{index:03d}" for index in speaker),
        sexes=tuple("female" if index % 2 else "male" for index in speaker),
        truth=truth,
        probabilities=(raised / raised.sum(axis=1, keepdims=True)).astype(np.float32),
        emotions=EMOTIONS[:n_emotions],
    )
