"""`emogram study` as one types it: run, status, table, export, a small paper; two at once, killed, run again."""

import csv
import json
import multiprocessing
import random
import signal
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from emogram.cli import main
from emogram.studies import runner
from emogram.studies.store import Store
from tests.training import runs
from tests.training.stand_ins import study_command

pytestmark = pytest.mark.timeout(600)  # the first test waits for two runs
Call = Callable[..., tuple[int, str, str]]
STUDY = """
question: Does less dropout change anything in two epochs?
base:
  network: cnn-tiny
  audio.clip_s: 0.5
  spectrogram.n_mels: 16
  split: {name: kfold, folds: 4}
  fit.epochs: 2
  fit.batch_size: 8
corpora: [synthetic]
axes:
  - {name: dropout, field: network.dropout, values: [0.05]}
folds: [1]
seeds: [0]
budget: {words: two epochs on very few clips, epochs: 2, runs: 2}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, material: runs.Material) -> Call:
    """Run the command; status, standard output, standard error."""
    monkeypatch.setattr(runner, "threads_each", lambda _: 1)
    monkeypatch.setenv("EMOGRAM_CACHE", str(material.cache))

    def run_command(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run_command


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "dropout.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def store(study: Path, material: runs.Material) -> Path:
    """A store in which the study was run undisturbed."""
    folder = study.parent / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "threads_each", lambda _: 1)
        patch.setenv("EMOGRAM_CACHE", str(material.cache))
        assert main(["study", "run", str(study), "-c", f"synthetic={material.corpus}", "-o", str(folder)]) == 0
    return folder


def table(store: Path) -> list[dict[str, str]]:
    """The tidy table without times."""
    with (store / "dropout" / "table.csv").open(newline="") as file:
        return [{name: row[name] for name in row if name != "seconds"} for row in csv.DictReader(file)]


def test_a_run_leaves_table_findings_figure_and_paper(store: Path) -> None:
    names = {path.relative_to(store / "dropout").as_posix() for path in (store / "dropout").rglob("*")}
    assert {"plan.json", "table.csv", "findings.json", "scores.png", "paper/dropout.html", "paper/dropout.pdf"} <= names
    assert [row["status"] for row in table(store)] == ["done"] * 2
    page = (store / "dropout" / "paper" / "dropout.html").read_text()
    assert "Does less dropout change anything in two epochs?" in page
    assert "Computed voices, no benchmark" in page


def test_what_is_done_is_told_and_not_done_again(study: Path, store: Path, material: runs.Material, call: Call) -> None:
    before = {path: path.stat().st_mtime_ns for path in (store / "runs").rglob("metrics.json")}
    status, output, errors = call("study", "run", study, "-c", f"synthetic={material.corpus}", "-o", store)
    assert status == 0
    assert output.startswith("Does less dropout change anything in two epochs?\n")
    assert "dropout: 2 runs, 2 done already; two epochs on very few clips" in errors
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert call("study", "status", study, "-o", store) == (0, "dropout: 2 done, 0 failed, 0 left\n", "")


def test_a_table_as_text_and_for_programs(study: Path, store: Path, call: Call, tmp_path: Path) -> None:
    status, text, _ = call("study", "table", study, "-o", store)
    assert status == 0
    assert "dropout=0.05" in text
    rows = json.loads(call("study", "table", study, "-o", store, "--format", "json")[1])
    assert [row["point"] for row in rows] == ["base", "dropout=0.05"]
    assert call("study", "table", study, "-o", store, "--format", "csv", "--to", tmp_path / "t.csv")[:2] == (0, "")
    assert (tmp_path / "t.csv").read_text().count("\n") == 3


def test_an_export_is_enough_for_a_paper(store: Path, call: Call, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    status, _, errors = call("study", "export", store / "dropout", "-o", kept)
    assert status == 0
    assert f"{kept / 'predictions.npz'}: " in errors
    assert call("paper", "--results", kept, "-o", tmp_path / "paper")[0] == 0
    assert (tmp_path / "paper" / "dropout.html").read_text().count("two epochs on very few clips") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_two_at_once_killed_at_random_moments_end_as_the_undisturbed_one(
    study: Path, store: Path, material: runs.Material, tmp_path: Path
) -> None:
    killed = Store(tmp_path / "killed")
    words = ["study", "run", str(study), "-c", f"synthetic={material.corpus}", "-o", str(killed.folder)]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["emogram.training.folds", "emogram.report", "emogram.cli.study"])

    def started() -> list[BaseProcess]:
        both: list[BaseProcess] = [
            context.Process(target=study_command, args=(words, tmp_path / f"output-{number}", material.cache))
            for number in range(2)
        ]
        for process in both:
            process.start()
        return both

    rng, ends = random.Random(3), list[int | None]()
    for _ in range(2):  # once early, in the first run, and once later
        both = started()
        while all(process.is_alive() for process in both) and not list(killed.runs.glob("*.claim")):
            both[0].join(0.01)
        both[0].join(rng.uniform(0.0, 1.0))
        for process in both:
            process.kill()
            process.join()
        ends += [process.exitcode for process in both]
    assert -signal.SIGKILL in ends  # on a fast machine the second time may come too late
    both = started()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert table(killed.folder) == table(store)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["run", "nowhere.yaml"],
            "nowhere.yaml: cannot be read (No such file or directory); give the YAML file of a study",
        ),
        (
            ["run", "STUDY", "-c", "synthetic"],
            "--corpus synthetic: write NAME=PATH, for example ravdess-speech=RAVDESS",
        ),
        (
            ["run", "STUDY", "-c", "CORPUS", "--points", "none"],
            "--points none: no such point; choose base, dropout=0.05",
        ),
        (["status", "STUDY", "-o", "elsewhere"], "elsewhere/dropout: holds no study; run it first: emogram study run"),
        (
            ["table", "STUDY", "-o", "STORE", "--format", "parquet"],
            "--format parquet: is no text; say where to write it",
        ),
        (["all", "elsewhere"], "elsewhere: holds no study; name a folder with YAML files"),
        (["export", "elsewhere", "-o", "kept"], "elsewhere: holds no study; run it first: emogram study run"),
    ],
)
def test_what_is_wrong_is_one_line(
    words: list[str],
    message: str,
    study: Path,
    store: Path,
    material: runs.Material,
    call: Call,
) -> None:
    places = {"STUDY": study, "STORE": store, "CORPUS": f"synthetic={material.corpus}"}
    status, output, errors = call("study", *(places.get(word, word) for word in words))
    assert status != 0
    assert output == ""
    last = errors.splitlines()[-1]
    assert last.startswith(f"emogram: error: {message}")


def test_a_study_that_has_changed_is_not_told(study: Path, store: Path, call: Call, tmp_path: Path) -> None:
    changed = tmp_path / "dropout.yaml"
    changed.write_text(study.read_text().replace("less dropout", "more dropout"))
    status, _, errors = call("study", "table", changed, "-o", store)
    assert status == 2
    assert "has changed since it ran; run it again, which does only what is new" in errors
