"""The paper follows its store: other answers give other numbers, what is missing cannot be told, nothing is typed."""

import re
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import jinja2
import pytest
import yaml

from emogram.errors import ConfigurationError, TrainingError
from emogram.evaluation import write_predictions
from emogram.paper import Written, write_paper, write_study_paper
from emogram.paper.make import compose, render
from emogram.paper.markup import Block, Heading, Title
from emogram.paper.references import bibliography
from tests.paper import made_up

ROOT = Path(__file__).parents[2]
TEMPLATES = resources.files("emogram.paper") / "templates"
SHAPES = [path.name for path in TEMPLATES.iterdir() if path.name.endswith(".md.jinja")]
ALLOWED = {"f1", "%.1f"}
COUNTED = {"three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
COUNTED |= {"dozen", "hundred", "thousand", "million", "half", "twice"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up.write_store(tmp_path_factory.mktemp("store") / "results")


@pytest.fixture(scope="module")
def unrun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Study files of which none has run."""
    root = tmp_path_factory.mktemp("files")
    for name in ("studies/clip_length.yaml", "configurations/study.yaml"):
        (root / name).parent.mkdir()
        shutil.copyfile(ROOT / name, root / name)
    return root / "studies"


@pytest.fixture(scope="module")
def written(store: Path, unrun: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_paper(store, tmp_path_factory.mktemp("paper"), unrun)


@pytest.fixture(scope="module")
def page(written: Written) -> str:
    return written.files[0].read_text(encoding="utf-8")


def words(page: str) -> str:
    """The text of a page on one line."""
    text = re.sub(r"<[^>]+>", "", page.partition("<main>")[2]).replace("\u00a0", " ").replace("\u2212", "-")
    return re.sub(r"\s+", " ", text)


def test_paper_and_talk_are_there(written: Written, page: str) -> None:
    assert [path.name for path in written.files] == ["emogram.html", "emogram.pdf", "talk.pdf"]
    assert all(path.read_bytes().startswith(b"%PDF") for path in written.files[1:])
    figures = re.findall(r'src="(figures/[^"]+)"', page)
    assert len(figures) >= 6
    assert all((written.files[0].parent / path).is_file() for path in figures)
    assert page.count("<img ") == len(re.findall(r'<img [^>]*alt="[^"]{20,}"', page))


def test_the_same_store_gives_the_same_bytes(store: Path, unrun: Path, written: Written, tmp_path: Path) -> None:
    again = write_paper(store, tmp_path, unrun)
    assert [path.read_bytes() for path in again.files] == [path.read_bytes() for path in written.files]


def test_other_answers_give_other_numbers(store: Path, page: str, tmp_path: Path) -> None:
    before, after = made_up.predictions(3.0, seed=2), made_up.predictions(2.0, seed=2)
    shown = [f"{100 * (each.predicted == each.truth).mean():.1f} %" for each in (before, after)]
    assert shown[0] != shown[1]
    assert f"whisper-base, reaches {shown[0]} accuracy" in words(page)
    changed = tmp_path / "results"
    shutil.copytree(store, changed)
    write_predictions(changed / "whisper" / "predictions-test.csv", after)
    content, paper, talk = compose(changed, None, tmp_path)
    assert content.values["headline"].label == "whisper-base"
    assert f"whisper-base, reaches {shown[1]} accuracy" in told(paper)
    assert shown[0] not in told(talk)
    assert shown[1] in told(talk)


def told(blocks: Sequence[Block]) -> str:
    """The words of blocks; those of print are strings one after the other."""
    return "".join(re.findall(r"text='([^']*)'", repr(blocks))).replace("\u00a0", " ")


def test_each_study_is_told_and_those_that_have_not_run_are_named(page: str) -> None:
    text = words(page)
    assert "good is better than base: unweighted average recall" in text
    assert "No evidence that odd and base differ" in text
    assert "Small: scores on groups of the test clips" in text
    assert "Not run yet" in text
    assert "How long must the crop be that a network trains on, and how much must it hear to recognise?" in text
    assert "Clip length. Budget: ten epochs of cnn-small" in text


def test_what_studies_were_tested_on_is_among_the_data(page: str) -> None:
    data = words(page).partition("tested on. Licences")[2].partition("All audio was acted")[0]
    assert re.search(r"own ?96 ?12 ?4", data)


def test_a_random_split_is_set_against_unseen_speakers(page: str) -> None:
    unseen, random = made_up.predictions(1.5), made_up.predictions(2.5, seed=1)
    apart = 100 * ((random.predicted == random.truth).mean() - (unseen.predicted == unseen.truth).mean())
    assert f"on speakers never heard: {apart:.1f} points apart" in words(page)
    assert "On the 48 clips that both tested" in words(page)


def test_published_results_stand_beside_ours(page: str) -> None:
    assert "Whisper large v3, frozen encoder + head" in page
    assert "75.9" in page
    assert "whisper-base is better than" in page.lower() or "no evidence that whisper-base" in page.lower()


def test_the_talk_is_short(store: Path, tmp_path: Path) -> None:
    _, _, talk = compose(store, ROOT / "studies", tmp_path)
    assert (
        8 <= sum(isinstance(block, Title) or (isinstance(block, Heading) and block.level == 1) for block in talk) <= 10
    )


def test_another_folder_is_another_result(store: Path, tmp_path: Path) -> None:
    more = tmp_path / "results"
    shutil.copytree(store, more, ignore=shutil.ignore_patterns("studies"))
    made_up.write_result(more / "deep" / "new", "loso", 2.0, metrics_of_another_version=1)
    (more / "empty").mkdir()
    (more / "empty" / "metrics.json").write_text("{}")
    content, paper, _ = compose(more, None, tmp_path)
    assert [result.name for result in content.values["results"] if result.split == "loso"] == ["deep/new"]
    assert content.unusable == ("empty: has no predictions-test.csv",)
    assert "No study on real speech has a table in the store yet" in told(paper)


def test_what_the_store_does_not_hold_cannot_be_told(store: Path, tmp_path: Path) -> None:
    lacking = tmp_path / "results"
    shutil.copytree(store / "random", lacking / "random")
    with pytest.raises(ConfigurationError) as caught:
        write_paper(lacking, tmp_path / "paper")
    message = str(caught.value)
    assert message.startswith(
        f"{lacking}: holds no headline, which paper.md.jinja asks for; make it and put it there: emogram train"
    )
    assert "\n" not in message
    assert not (tmp_path / "paper").exists()
    loader = jinja2.DictLoader({"text": "It reaches {{ results['no-such'].accuracy }}."})
    with pytest.raises(ConfigurationError, match="holds no no-such, which text asks for; make it"):
        render("text", {"results": {}}, lacking, loader=loader)


def test_a_damaged_store_is_one_line(store: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such folder; name the store"):
        write_paper(tmp_path / "nowhere", tmp_path / "paper")
    (tmp_path / "results" / "bad").mkdir(parents=True)
    (tmp_path / "results" / "bad" / "metrics.json").write_text("{")
    (tmp_path / "results" / "bad" / "predictions-test.csv").write_text("")
    with pytest.raises(TrainingError, match=r"metrics\.json: damaged .*; copy it again from its run"):
        write_paper(tmp_path / "results", tmp_path / "paper")


def test_one_study_has_a_small_paper(store: Path, tmp_path: Path) -> None:
    folder = store / "studies" / "small"
    html, pdf = write_study_paper(folder, tmp_path).files
    assert (html.name, pdf.name) == ("small.html", "small.pdf")
    text = words(html.read_text(encoding="utf-8"))
    assert "Does anything change?" in text
    assert "good is better than base" in text
    assert "18 runs of 18 done" in text
    with pytest.raises(TrainingError, match="holds no study; run one first: emogram study run"):
        write_study_paper(store, tmp_path)


@pytest.mark.parametrize("name", SHAPES)
def test_no_number_is_typed(name: str) -> None:
    """Outside of expressions a template holds no digit, F1 excepted, and no number in words above two."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    typed = re.sub(r"{{.*?}}|{%.*?%}|{#.*?#}", " ", text, flags=re.DOTALL)
    assert re.findall(r"\S*\d\S*", typed.replace("F1", "")) == []
    assert [word for word in re.findall(r"[a-z]+", typed.lower()) if word in COUNTED] == []
    words_of_expressions = re.findall(r'"([^"]*)"', " ".join(re.findall(r"{{.*?}}", text, flags=re.DOTALL)))
    assert [each for each in words_of_expressions if re.search(r"\d", each) and each not in ALLOWED] == []


def test_every_reference_is_whole_and_cited_somewhere() -> None:
    stored = yaml.safe_load((resources.files("emogram.paper") / "references.yaml").read_text(encoding="utf-8"))
    assert all(set(each) == {"short", "full", "link"} for each in stored.values())
    for reference in bibliography().values():
        year = re.search(r"\d{4}", reference.short)
        assert year is not None
        assert f"({year[0]})" in reference.full
        assert reference.link.startswith("http")
