"""The card: made from stored results alone, every number among them, every figure there."""

import json
import re
import shutil
from pathlib import Path

import pytest

from docs.card import stores
from emogram.errors import ConfigurationError
from emogram.evaluation.predictions import among, read_predictions
from emogram.pretraining.card import write_card
from emogram.pretraining.results import Store
from emogram.pretraining.scores import score_sheet
from tests.pretraining.conftest import Made


@pytest.fixture(scope="module")
def docs(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents with the results of a model and its card; nothing else of the model is left."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(made.plan.folder / "results", folder / "results" / "pretrained-tiny")
    write_card(stores(folder), folder / "model-card.md")
    return folder


def test_the_card_tells_scores_as_they_are_stored(docs: Path) -> None:
    text = (docs / "model-card.md").read_text(encoding="utf-8")
    [store] = stores(docs)
    sheet = score_sheet(store)
    metrics = sheet["held_out"]["metrics"]
    assert f"| accuracy | **{100 * metrics['accuracy']['value']:.1f} %** |" in text
    for row in sheet["noise"]:
        assert f"| {row['snr_db']:g} dB | {100 * row['accuracy']['value']:.1f} % |" in text
    assert [row["corpus"] for row in sheet["left_out"]] == ["other", "synthetic"]
    assert [row["snr_db"] for row in sheet["noise"]] == [20, 0]
    for words in ("must not be used for", "female (", "male (", "CC0-1.0", "Taught by nobody.", "12 bits a weight"):
        assert words in text
    assert not re.search(r"\{[{%]|None|nan", text)


def test_figures_that_the_card_shows_are_there(docs: Path) -> None:
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (docs / "model-card.md").read_text(encoding="utf-8"))
    assert {Path(path).name for path in shown} == {"noise.png", "confusion.png", "reliability.png"}
    assert all((docs / path).stat().st_size > 1000 for path in shown)


def test_what_was_not_measured_is_said(docs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "pretrained-tiny"
    shutil.copytree(docs / "results" / "pretrained-tiny", folder)
    for path in [*folder.glob("without-*"), *folder.glob("background-*"), folder / "clean.csv", *folder.glob("*.png")]:
        path.unlink()
    facts = json.loads((folder / "facts.json").read_text())
    (folder / "facts.json").write_text(json.dumps({**facts, "uncertain_below": None, "all_folds": False}))
    write_card([Store(folder)], tmp_path / "model-card.md")
    text = (tmp_path / "model-card.md").read_text(encoding="utf-8")
    assert text.count("Not measured.") == 2
    assert "2 folds (not all of them)" in text
    assert "noise.png" not in text


def test_answers_among_some_emotions_are_the_others_taken_away(docs: Path) -> None:
    answers = read_predictions(docs / "results" / "pretrained-tiny" / "without-other.csv")
    few = answers.take(
        [index for index, truth in enumerate(answers.truth) if answers.emotions[truth] in {"sad", "angry"}]
    )
    kept = among(few, ("sad", "angry"))
    columns = [few.emotions.index(emotion) for emotion in kept.emotions]
    shares = few.probabilities[:, columns]
    assert kept.probabilities == pytest.approx(shares / shares.sum(axis=1, keepdims=True), abs=1e-6)
    assert [kept.emotions[t] for t in kept.truth] == [few.emotions[t] for t in few.truth]
    with pytest.raises(ConfigurationError, match="some clips are none of sad"):
        among(few, ("sad",))
