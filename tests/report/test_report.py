"""The report of a run: right numbers, complete in itself, safe with strangers' names, robust to missing pieces."""

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from emogram import splits
from emogram.corpora.clip import write_manifest
from emogram.errors import ConfigurationError, CorpusError, TrainingError
from emogram.evaluation.predictions import read_predictions, write_predictions
from emogram.evaluation.summary import summarise
from emogram.report import write_folds_report, write_report
from tests.report.run_folders import answers, clips, write_folds, write_run

VOID = {"meta", "link", "br", "hr", "img", "input", "col"}


class Page(HTMLParser):
    """A parsed page: its tags in order, its text, and what was not nested properly."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.misnested: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.misnested += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.misnested.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def disjoint(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", splits.make(clips(), "speaker"))


def read(folder: Path) -> Page:
    return Page(write_report(folder).read_text(encoding="utf-8"))


def edit_metrics(folder: Path, **changes: Any) -> None:
    path = folder / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_headline_is_that_of_the_stored_predictions(disjoint: Path) -> None:
    predictions = read_predictions(disjoint / "predictions-test.csv")
    metrics = summarise(predictions)["metrics"]
    text = read(disjoint).text
    right = int((predictions.predicted == predictions.truth).sum())
    assert f"Of {len(predictions)} test clips by 2 speakers, none of whom it had heard before, it named" in text
    assert f"the emotion of {right} rightly" in text
    for name in ("accuracy", "uar", "f1", "ece"):
        assert f"{metrics[name]['value'] * 100:.1f} %" in text


def test_intervals_are_those_of_the_summary(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", splits.make(clips(n_speakers=24, n_takes=1), "speaker"))
    metrics = summarise(read_predictions(folder / "predictions-test.csv"))["metrics"]
    text = read(folder).text
    for name in ("accuracy", "uar", "f1", "ece", "precision"):
        assert f"{metrics[name]['low'] * 100:.1f} – {metrics[name]['high'] * 100:.1f} %" in text
    assert "bootstrapped over the 5 speakers" in text


def test_too_few_speakers_give_no_interval_and_say_so(disjoint: Path) -> None:
    text = read(disjoint).text
    assert "no interval" in text
    assert "2 speakers are too few" in text


def test_confusion_matrix_has_every_clip(disjoint: Path) -> None:
    html = write_report(disjoint).read_text(encoding="utf-8")
    shown = [int(count) for count in re.findall(r"<td class=[^>]*title=\"(\d+) clips\"", html)]
    confusion = summarise(read_predictions(disjoint / "predictions-test.csv"))["confusion"]
    assert shown == [count for row in confusion for count in row]


def test_page_is_complete_in_itself_and_runs_nothing(disjoint: Path) -> None:
    page = read(disjoint)
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("iframe")
    for image in page.all("img"):
        assert (image["src"] or "").startswith("data:image/")
    for link in page.all("a"):
        assert not re.match(r"[a-z]+:|//", link["href"] or "")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    policy = [meta["content"] or "" for meta in page.all("meta") if "http-equiv" in meta]
    assert any("default-src 'none'" in content for content in policy)
    style = write_report(disjoint).read_text(encoding="utf-8").split("</style>")[0]
    assert "@import" not in style
    assert "url(" not in style


def test_page_is_well_formed_and_navigable(disjoint: Path) -> None:
    page = read(disjoint)
    assert page.misnested == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    internal = [(link["href"] or "")[1:] for link in page.all("a") if (link["href"] or "").startswith("#")]
    assert internal
    assert set(internal) <= set(ids)
    assert page.all("html")[0]["lang"] == "en"
    assert all(image.get("alt") for image in page.all("img"))
    assert all(drawing.get("aria-label") for drawing in page.all("svg"))


def test_files_linked_exist(disjoint: Path) -> None:
    links = {link["href"] or "" for link in read(disjoint).all("a")}
    files = {link for link in links if not link.startswith("#")}
    assert {"model.onnx", "metrics.json", "predictions-test.csv", "figures/spectrograms.svg"} <= files
    assert all((disjoint / file).exists() for file in files)


def test_light_dark_and_print_are_styled(disjoint: Path) -> None:
    html = write_report(disjoint).read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert 'name="viewport"' in html


def test_charts_stay_inside_their_frame(disjoint: Path) -> None:
    html = write_report(disjoint).read_text(encoding="utf-8")
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(drawings) == 3
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        points = [point.split(",") for line in root.iter("polyline") for point in line.attrib["points"].split()]
        points += [[dot.attrib["cx"], dot.attrib["cy"]] for dot in root.iter("circle")]
        assert points
        assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in points)


def test_unheard_and_heard_speakers_are_told_apart(tmp_path: Path) -> None:
    disjoint = write_run(tmp_path / "disjoint", splits.make(clips(), "speaker"))
    random = write_run(tmp_path / "random", splits.make(clips(), "stratified"))
    assert "Tested on unheard speakers" in read(disjoint).text
    text = read(random).text
    assert "Tested on speakers heard in training" in text
    assert "Tested on unheard speakers" not in text
    assert "some of whom it had heard before" in text


def test_what_the_split_claims_is_checked_against_the_manifest(tmp_path: Path) -> None:
    split = replace(splits.make(clips(), "stratified"), speaker_disjoint=True)
    text = read(write_run(tmp_path / "run", split)).text
    assert "Tested on speakers heard in training" in text


def test_identical_audio_in_two_parts_is_an_error_on_the_page(tmp_path: Path) -> None:
    split = splits.make(clips(), "speaker")
    twin = replace(split.test[0], sha256=split.train[0].sha256)
    text = read(write_run(tmp_path / "run", replace(split, test=(twin, *split.test[1:])))).text
    assert "identical audio" in text
    assert split.test[0].clip_id in text
    assert "no leak found" not in text


def test_unknown_speakers_claim_nothing(tmp_path: Path) -> None:
    split = splits.make(clips(), "speaker")
    train, validation, test = (
        tuple(replace(clip, speaker="") for clip in part) for part in (split.train, split.validation, split.test)
    )
    page = read(write_run(tmp_path / "run", replace(split, train=train, validation=validation, test=test)))
    assert "Speakers unknown" in page.text
    assert "unheard" not in page.text
    assert "For whom it works" not in page.text


def test_synthetic_voices_are_no_benchmark(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", splits.make(clips(corpus="synthetic"), "speaker"))
    assert "Synthetic voices: no benchmark" in read(folder).text


def test_human_voices_carry_no_such_note(disjoint: Path) -> None:
    assert "Synthetic" not in read(disjoint).text


def test_strangers_names_are_escaped(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\"'&"
    changed = [
        replace(clip, clip_id=f"{clip.clip_id}{hostile}", speaker=f"{clip.speaker}{hostile}", corpus=hostile)
        for clip in clips()
    ]
    folder = write_run(tmp_path / "run", splits.make(changed, "speaker"), name=hostile, key=hostile, notes=[hostile])
    (folder / "configuration.yaml").write_text(f"name: {hostile}\n</pre>{hostile}")
    (folder / "environment.json").write_text(json.dumps({hostile: {hostile: hostile}}))
    (folder / "figures" / f"x{hostile.replace('/', '')}.svg").write_text("<svg/>")
    page = read(folder)
    assert not page.all("script")
    assert page.misnested == []
    assert page.text.count("<script>alert(1)</script>") > 10


def test_names_of_files_that_are_no_utf_8_are_spelt_out(tmp_path: Path) -> None:
    changed = [replace(clip, clip_id=f"{clip.clip_id}-\udcfcbung") for clip in clips()]
    page = read(write_run(tmp_path / "run", splits.make(changed, "speaker")))
    assert "-\\udcfcbung" in page.text


@pytest.mark.parametrize(
    "missing", ["manifest.csv", "history.csv", "configuration.yaml", "environment.json", "figures/spectrograms.svg"]
)
def test_missing_pieces_are_left_out(disjoint: Path, missing: str) -> None:
    (disjoint / missing).unlink()
    page = read(disjoint)
    assert page.misnested == []
    assert "Accuracy" in page.text


def test_scores_alone_are_enough(disjoint: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "predictions-test.csv").write_bytes((disjoint / "predictions-test.csv").read_bytes())
    (bare / "metrics.json").write_text("{}")
    page = read(bare)
    assert page.misnested == []
    assert "bare" in page.text
    internal = {(link["href"] or "")[1:] for link in page.all("a") if (link["href"] or "").startswith("#")}
    assert internal <= {attributes.get("id") for _, attributes in page.tags}


def test_without_sexes_there_is_no_table_of_them(tmp_path: Path) -> None:
    page = read(write_run(tmp_path / "run", splits.make(clips(sexes=False), "speaker")))
    assert "By sex" not in page.text
    assert "By speaker" in page.text


def test_emotion_without_test_clips(tmp_path: Path) -> None:
    split = splits.make(clips(), "speaker")
    rest = tuple(clip for clip in split.test if clip.emotion != "calm")
    text = read(write_run(tmp_path / "run", replace(split, test=rest))).text
    assert "no clip in the test part" in text


@pytest.mark.parametrize("value", [None, "much", [], {}, -1, 1e400])
def test_odd_metrics_do_not_break_the_page(disjoint: Path, value: object) -> None:
    names = (
        "temperature",
        "epochs",
        "best_epoch",
        "fit_seconds",
        "parameters",
        "multiply_adds",
        "notes",
        "key",
        "split",
    )
    edit_metrics(disjoint, **dict.fromkeys(names, value))
    assert read(disjoint).misnested == []


def test_gaps_in_the_history_are_not_drawn(disjoint: Path) -> None:
    path = disjoint / "history.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    rows[3][2], rows[4][4], rows[5][4] = "nan", "", "inf"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    html = write_report(disjoint).read_text(encoding="utf-8")
    assert not any("nan" in points or "inf" in points for points in re.findall(r'points="([^"]*)"', html))
    assert len(re.findall(r"<polyline", html)) == 5


def test_an_explanation_is_shown_where_there_is_one(disjoint: Path) -> None:
    assert "What an answer hangs on" not in read(disjoint).text
    (disjoint / "figures" / "explanation.png").write_bytes(b"a picture")
    page = read(disjoint)
    assert "What an answer hangs on" in page.text
    assert any((image["src"] or "").startswith("data:image/png;base64,") for image in page.all("img"))


def test_large_figure_is_left_out(disjoint: Path) -> None:
    (disjoint / "figures" / "spectrograms.svg").write_bytes(b"x" * (9 << 20))
    page = write_report(disjoint)
    assert page.stat().st_size < 1 << 20


def test_unfinished_run_is_refused(disjoint: Path) -> None:
    (disjoint / "metrics.json").unlink()
    with pytest.raises(TrainingError, match=r"metrics\.json"):
        write_report(disjoint)
    assert not (disjoint / "report.html").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"name": "a"', "[" * 100_000])
def test_damaged_metrics_are_refused_in_one_line(disjoint: Path, content: str) -> None:
    (disjoint / "metrics.json").write_text(content)
    with pytest.raises(TrainingError, match=r"metrics\.json: damaged") as caught:
        write_report(disjoint)
    assert "\n" not in str(caught.value)


def test_missing_predictions_are_refused(disjoint: Path) -> None:
    (disjoint / "predictions-test.csv").unlink()
    with pytest.raises(CorpusError, match=r"predictions-test\.csv"):
        write_report(disjoint)


def test_nothing_half_written_is_left(disjoint: Path) -> None:
    write_report(disjoint)
    assert not list(disjoint.glob("*.partial"))


def test_page_is_the_same_each_time(disjoint: Path) -> None:
    assert write_report(disjoint).read_bytes() == write_report(disjoint).read_bytes()


def test_folds_are_pooled(tmp_path: Path) -> None:
    folder = write_folds(tmp_path / "folds")
    page = Page(write_folds_report(folder).read_text(encoding="utf-8"))
    assert page.misnested == []
    assert "Of 144 test clips by 9 speakers, none of whom it had heard before" in page.text
    assert "result of 3 folds" in page.text
    assert page.text.index("fold-1") < page.text.index("fold-2") < page.text.index("fold-3")
    assert "Validation UAR of each fold" in page.text


def test_folds_link_to_their_pages(tmp_path: Path) -> None:
    folder = write_folds(tmp_path / "folds")
    write_report(folder / "fold-2")
    links = {link["href"] for link in Page(write_folds_report(folder).read_text(encoding="utf-8")).all("a")}
    assert "fold-2/report.html" in links
    assert "fold-1/report.html" not in links


def test_folds_beside_those_pooled_are_left_alone(tmp_path: Path) -> None:
    folder = write_folds(tmp_path / "folds")
    edit_metrics(folder, folds=[{"fold": 1}, {"fold": 3}])
    (folder / "fold-2" / "metrics.json").unlink()
    text = Page(write_folds_report(folder).read_text(encoding="utf-8")).text
    assert "Of 96 test clips by 6 speakers" in text
    assert "fold-2" not in text


def test_pooled_predictions_of_the_folder_come_first(tmp_path: Path) -> None:
    folder = write_folds(tmp_path / "folds")
    write_predictions(folder / "predictions-test.csv", answers(clips(n_speakers=4)))
    assert "Of 64 test clips by 4 speakers" in Page(write_folds_report(folder).read_text(encoding="utf-8")).text


def test_folds_that_share_clips_are_refused(tmp_path: Path) -> None:
    folder = write_folds(tmp_path / "folds")
    (folder / "fold-1" / "predictions-test.csv").write_bytes((folder / "fold-2" / "predictions-test.csv").read_bytes())
    with pytest.raises(ConfigurationError):
        write_folds_report(folder)


def test_folder_without_folds_is_refused(disjoint: Path) -> None:
    with pytest.raises(TrainingError, match="fold-1"):
        write_folds_report(disjoint)


def test_manifest_of_other_columns_is_refused(disjoint: Path) -> None:
    write_manifest(disjoint / "manifest.csv", [])
    assert "Speakers unknown" in read(disjoint).text
    (disjoint / "manifest.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CorpusError, match=r"manifest\.csv"):
        write_report(disjoint)
