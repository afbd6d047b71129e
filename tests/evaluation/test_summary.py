"""Summaries hold every score once, as JSON and as text."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from emogram.evaluation import METRICS, confusion_matrix, published_results, score, summarise, table
from emogram.splits import PROTOCOLS
from tests.evaluation.made_up import predictions


def test_holds_every_score() -> None:
    made = predictions(n_speakers=8)
    found = summarise(made)
    assert found == json.loads(json.dumps(found, allow_nan=False))
    assert (found["clips"], found["speakers"], found["emotions"]) == (192, 8, list(made.emotions))
    assert {name: row["value"] for name, row in found["metrics"].items()} == pytest.approx(score(made))
    assert found["confusion"] == confusion_matrix(made).tolist()
    recalls = [each["recall"]["value"] for each in found["per_emotion"].values()]
    assert np.mean(recalls) == pytest.approx(found["metrics"]["uar"]["value"])
    assert [each["clips"] for each in found["per_emotion"].values()] == [32] * 6
    assert found["interval"]["note"] == "intervals over only 8 speakers are rough"


def test_per_speaker_and_per_sex_are_scores_of_their_clips() -> None:
    made = predictions(n_speakers=8)
    found = summarise(made)
    assert list(found["per_speaker"]) == sorted(set(made.speakers))
    chosen = made.take([i for i, speaker in enumerate(made.speakers) if speaker == "made-003"])
    row = found["per_speaker"]["made-003"]
    assert (row["clips"], row["sex"]) == (24, "female")
    assert row["uar"] == pytest.approx(score(chosen)["uar"])
    women = made.take([i for i, sex in enumerate(made.sexes) if sex == "female"])
    assert found["per_sex"]["female"]["f1"]["value"] == pytest.approx(score(women)["f1"])
    assert (found["per_sex"]["female"]["speakers"], found["per_sex"]["male"]["clips"]) == (4, 96)
    assert set(found["per_sex"]["male"]) == {"clips", "speakers", *METRICS}


def test_absent_emotions_and_unknown_speakers_are_none_not_nan() -> None:
    made = predictions(n_speakers=3)
    made = replace(made, truth=np.minimum(made.truth, 4), speakers=("",) * len(made), sexes=("",) * len(made))
    found = summarise(made)
    json.dumps(found, allow_nan=False)
    assert found["per_emotion"]["fearful"] == {"clips": 0, "precision": None, "recall": None, "f1": None}
    assert (found["per_speaker"], found["per_sex"], found["speakers"]) == ({}, {}, 0)
    assert found["metrics"]["uar"]["low"] is None
    lines = table(found).splitlines()
    assert "no intervals: the speakers of some clips are unknown" in lines
    assert next(line for line in lines if line.startswith("fearful")).split() == ["fearful", "0", "-", "-", "-"]


def test_the_text_shows_the_numbers() -> None:
    found = summarise(predictions(n_speakers=8))
    text = table(found)
    uar = found["metrics"]["uar"]
    shown = f"{100 * uar['value']:.1f} %  {100 * uar['low']:.1f} % to {100 * uar['high']:.1f} %"
    assert shown in text
    assert f"{found['metrics']['log_loss']['value']:.3f}" in text
    matrix = [line.split() for line in text.splitlines()[-6:]]
    assert [list(map(int, row[1:])) for row in matrix] == found["confusion"]
    assert max(map(len, text.splitlines())) <= 80


def test_1440_clips_take_less_than_a_second() -> None:
    made = predictions(n_speakers=24, clips_each=60, n_emotions=8)
    started = time.perf_counter()
    summarise(made)
    assert time.perf_counter() - started < 1


def test_published_results() -> None:
    found = published_results()
    best = next(result for result in found if result.protocol == "ravdess-emobox")
    assert (best.accuracy, best.uar, best.f1) == (75.87, 75.32, 75.19)
    assert {"ravdess-emobox", "ravdess-luna", "savee-loso", "cremad-evar"} <= {result.protocol for result in found}
    assert len({result.protocol for result in found} & set(PROTOCOLS)) == 6
    assert all(0 < value <= 100 for result in found for value in (result.accuracy, result.uar, result.f1) if value)
