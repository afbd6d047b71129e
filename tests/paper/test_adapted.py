"""Adapted models in the paper: what the store holds of them is told, beside what limits it; nothing without them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from emogram.errors import TrainingError
from emogram.evaluation import summarise
from emogram.paper import write_paper
from emogram.paper.adapted import figure, read_adapted, table
from tests.paper import made_up


def facts(**changes: Any) -> dict[str, Any]:
    few, after = (summarise(made_up.predictions(skill)) for skill in (1.5, 4.0))
    return {
        "model": "large",
        "corpora": ["emodb"],
        "new": ["boredom"],
        "speaker_disjoint": True,
        "notes": [],
        "before": summarise(made_up.predictions(0.5)),
        "after": after,
        "curve": {"1": few["metrics"], "4": after["metrics"]},
    } | changes


def write(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "adaptation.json").write_text(json.dumps(facts(**changes)))
    return folder


@pytest.fixture(autouse=True)
def unprinted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No PDF, which says the same and takes seconds."""
    monkeypatch.setattr("emogram.paper.make._print", lambda *words: words[-1])


def test_it_is_told_with_what_it_was_before(tmp_path: Path) -> None:
    store = made_up.write_store(tmp_path / "results")
    assert "Other people, other languages" not in page_of(store, tmp_path / "without")
    write(store / "german")
    page = page_of(store, tmp_path / "with")
    before, after = (100 * facts()[when]["metrics"]["accuracy"]["value"] for when in ("before", "after"))
    assert f"large as it is names {before:.1f} % (" in page
    assert f"rightly, and {after:.1f} % " in page
    assert "when fitted to clips of other speakers there" in page
    assert "It had not known boredom." in page


def test_it_may_have_no_curve_and_nothing_to_compare_with(tmp_path: Path) -> None:
    store = made_up.write_store(tmp_path / "results")
    write(store / "german", before=None, curve={}, notes=["large learnt from emodb"])
    page = page_of(store, tmp_path / "paper")
    assert "Note: large learnt from emodb." in page
    assert "how many clips that takes" not in page


def test_same_names_are_told_apart(tmp_path: Path) -> None:
    one_voice = {"speaker_disjoint": False, "after": {**facts()["after"], "speakers": 1}}
    for name in ("adaptation/first-voice", "adaptation/second-voice"):
        write(tmp_path / name, **one_voice)
    write(tmp_path / "others")
    found = read_adapted(tmp_path)
    assert [one.label for one in found] == [
        "EmoDB, other speakers",
        "EmoDB, the same voice (first voice)",
        "EmoDB, the same voice (second voice)",
    ]
    drawn, told = figure(found, width_in=7.2)
    assert [label for line in drawn.axes[0].get_lines() if not (label := str(line.get_label())).startswith("_")] == [
        one.label for one in found
    ]
    assert "EmoDB, other speakers: " in told
    assert len(table(found).rows) == 3


@pytest.mark.parametrize("lost", ["model", "after", "curve", "speaker_disjoint"])
def test_a_file_that_lacks_something_is_one_line(tmp_path: Path, lost: str) -> None:
    write(tmp_path / "german")
    content = facts()
    del content[lost]
    (tmp_path / "german" / "adaptation.json").write_text(json.dumps(content))
    with pytest.raises(TrainingError, match=rf"adaptation\.json: lacks or misnames '{lost}'; make it again with"):
        read_adapted(tmp_path)


def page_of(store: Path, folder: Path) -> str:
    text = write_paper(store, folder).files[0].read_text(encoding="utf-8").partition("<main>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text).replace("\u00a0", " "))
