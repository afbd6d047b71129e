"""Predictions: what goes to disk comes back, and a damaged table is refused by row."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError, CorpusError
from emogram.evaluation import Predictions, pool, read_predictions, write_predictions
from emogram.evaluation.predictions import mean
from tests.evaluation.made_up import predictions


def test_csv_brings_the_same_predictions_back(tmp_path: Path) -> None:
    made = predictions(3)
    made = replace(made, speakers=("", 'the "first", x', *made.speakers[2:]), sexes=("", *made.sexes[1:]))
    path = tmp_path / "predictions.csv"
    write_predictions(path, made)
    back = read_predictions(path)
    for name in ("clip_ids", "corpora", "speakers", "sexes", "emotions"):
        assert getattr(back, name) == getattr(made, name)
    assert np.array_equal(back.truth, made.truth)
    assert back.probabilities.dtype == np.float32
    assert np.array_equal(back.probabilities, made.probabilities)
    assert [entry.name for entry in tmp_path.iterdir()] == ["predictions.csv"]
    header, first, *_ = path.read_text(encoding="utf-8").splitlines()
    assert header.startswith("clip_id,corpus,speaker,sex,emotion,predicted,p_neutral,p_calm,")
    assert first.startswith(f"made/00000,made,,,neutral,{made.emotions[made.predicted[0]]},0.")


def test_names_of_files_that_are_no_utf_8_come_back(tmp_path: Path) -> None:
    made = predictions(3)
    made = replace(made, clip_ids=("own/\udcfcbung", *made.clip_ids[1:]))
    path = tmp_path / "predictions.csv"
    write_predictions(path, made)
    assert b"\nown/\xfcbung," in path.read_bytes()
    assert read_predictions(path).clip_ids == made.clip_ids


@given(st.floats(0, 1, width=32))
def test_nine_digits_bring_every_float32_back(value: float) -> None:
    assert np.float32(float(f"{np.float32(value):.9g}")) == np.float32(value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("clip_id,", "clip,", "no table of predictions, whose first line is clip_id,corpus"),
        (",p_neutral,p_calm,p_happy", "", "row 2: 9 columns instead of 6|no table|row 2: 9 columns"),
        ("\nmade/00001,made", "\nmade", "row 3: 8 columns instead of 9"),
        (",calm,", ",furious,", "row 3: emotion 'furious' has no column p_furious"),
        ("made/00000,", "made/00001,", "listed twice"),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "predictions.csv"
    write_predictions(path, predictions(n_emotions=3))
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CorpusError, match=message) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", ["nan", "1.5", "-0.1", "x", ""])
def test_a_number_that_is_no_probability_is_refused(tmp_path: Path, number: str) -> None:
    path = tmp_path / "predictions.csv"
    write_predictions(path, predictions(n_emotions=3))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[4] = lines[4].rpartition(",")[0] + "," + number
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"predictions\.csv"):
        read_predictions(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"clip_id,corpus,speaker,sex,emotion,predicted,p_sad\n"])
def test_foreign_and_empty_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"other\.csv"):
        read_predictions(path)


def test_what_is_no_table_is_named_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"absent\.csv: there is no such file; give a run's folder or a table"):
        read_predictions(tmp_path / "absent.csv")
    (tmp_path / "mine").mkdir()
    with pytest.raises(
        CorpusError, match=r"mine: is no run folder, it has no predictions-test\.csv; give the folder of"
    ):
        read_predictions(tmp_path / "mine" / "predictions-test.csv")
    with pytest.raises(CorpusError, match=r"mine: cannot be read as predictions \(Is a directory\)"):
        read_predictions(tmp_path / "mine")
    for name in ("clip.wav", "model.onnx"):
        (tmp_path / name).write_bytes(b"RIFF\x00\x00\n\x00\r")
    with pytest.raises(CorpusError, match=r"clip\.wav: is no table of predictions"):
        read_predictions(tmp_path / "clip.wav")
    with pytest.raises(
        CorpusError, match=r"onnx: is a model, .*: emogram evaluate .*onnx --corpus NAME=PATH -o model\.csv"
    ):
        read_predictions(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speakers": ("x",)}, "columns of different length"),
        ({"probabilities": np.ones((2, 2))}, "probabilities of shape"),
        ({"truth": np.full(192, 6)}, "a true emotion that is none of neutral"),
        ({"truth": np.full(192, -1)}, "a true emotion that is none of neutral"),
        ({"probabilities": np.full((192, 6), 0.2)}, "do not add up to 1"),
        ({"probabilities": np.full((192, 6), np.nan)}, "not between 0 and 1"),
        ({"emotions": ("sad",) * 6}, "listed twice"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        replace(predictions(), **change)


def test_are_frozen() -> None:
    made = predictions()
    with pytest.raises(ValueError, match="read-only"):
        made.probabilities[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        made.truth[0] = 1


def test_from_clips() -> None:
    clips = [
        Clip(clip_id=f"own/{e}", path="", corpus="own", speaker="own-1", sex="male", emotion=e, raw_label=e)
        for e in ("sad", "angry")
    ]
    made = Predictions.from_clips(clips, [[0.25, 0.75], [0.5, 0.5]], ["angry", "sad"])
    assert made.truth.tolist() == [1, 0]
    assert made.predicted.tolist() == [1, 0]
    assert made.confidence.tolist() == [0.75, 0.5]
    assert (made.clip_ids, made.sexes) == (("own/sad", "own/angry"), ("male", "male"))
    with pytest.raises(ConfigurationError, match="clip own/sad: emotion 'sad' is none of angry, happy"):
        Predictions.from_clips(clips, [[0.25, 0.75], [0.5, 0.5]], ["angry", "happy"])
    with pytest.raises(ConfigurationError, match="no clips"):
        Predictions.from_clips([], np.zeros((0, 2)), ["angry", "sad"])


def test_pool_joins_folds_and_refuses_a_clip_tested_twice() -> None:
    whole = predictions()
    first, second = whole.take(range(100)), whole.take(range(100, len(whole)))
    pooled = pool([first, second])
    assert pooled.clip_ids == whole.clip_ids
    assert np.array_equal(pooled.probabilities, whole.probabilities)
    with pytest.raises(ConfigurationError, match="listed twice"):
        pool([first, first])
    with pytest.raises(ConfigurationError, match="only folds with the same emotions"):
        pool([first, predictions(n_emotions=3)])
    with pytest.raises(ConfigurationError, match="only folds"):
        pool([])


def test_an_ensemble_is_the_mean_whatever_the_order_of_its_members_clips() -> None:
    first = predictions(n_speakers=1, clips_each=4, n_emotions=3)
    order = [2, 0, 3, 1]
    other = np.roll(first.probabilities, 1, axis=1)
    second = replace(
        first,
        clip_ids=tuple(first.clip_ids[row] for row in order),
        truth=first.truth[order],
        probabilities=other[order],
        speakers=tuple(first.speakers[row] for row in order),
        sexes=tuple(first.sexes[row] for row in order),
        corpora=tuple(first.corpora[row] for row in order),
    )
    together = mean([first, second])
    assert together.clip_ids == first.clip_ids
    assert np.array_equal(together.truth, first.truth)
    assert together.probabilities == pytest.approx((first.probabilities + other) / 2)
    with pytest.raises(ConfigurationError, match="other clips or emotions; give runs of the same test part"):
        mean([first, predictions(n_speakers=1, clips_each=5, n_emotions=3)])
