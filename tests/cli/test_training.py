"""`emogram train`, `evaluate` and `demo`: which stream, which status, one line for what goes wrong."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emogram import corpora
from emogram.cli import demo as demo_module
from emogram.cli import main
from emogram.corpora import synthetic
from emogram.evaluation.predictions import read_predictions
from emogram.training import run
from emogram.training.learner import Learner
from tests.training import runs

pytestmark = pytest.mark.timeout(400)  # the first test waits for the run
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command; status, standard output, standard error."""

    def run_command(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run_command


def one_line(errors: str) -> str:
    assert errors.startswith("emogram: error: ")
    assert errors.count("\n") == 1
    return errors.removeprefix("emogram: error: ").strip()


def words(folds: runs.Folds, *more: object) -> list[object]:
    """What trains fold 1 again."""
    return ["train", *folds.material.settings(), "-c", f"synthetic={folds.material.corpus}", *more]


def test_results_go_to_standard_output_and_messages_to_standard_error(folds: runs.Folds, call: Call) -> None:
    status, output, errors = call(*words(folds, "-o", folds.run))
    assert status == 0
    assert "accuracy" in output.lower()
    assert "true \\ predicted" in output
    assert errors.splitlines() == [f"{folds.run}: done already", f"report: {folds.run / 'report.html'}"]
    assert (folds.run / "report.html").is_file()


def test_json_is_the_metrics(folds: runs.Folds, call: Call) -> None:
    status, output, errors = call(*words(folds, "-o", folds.run, "--json"))
    assert status == 0
    assert json.loads(output) == json.loads((folds.run / "metrics.json").read_text())
    assert "report: " in errors


def test_folds_are_pooled(folds: runs.Folds, call: Call) -> None:
    status, output, errors = call(*words(folds, "-o", folds.folder, "--folds", "1,2", "--json"))
    assert status == 0
    assert json.loads(output) == folds.metrics
    assert f"report: {folds.folder / 'report.html'}" in errors


def test_the_folder_follows_from_the_name(
    folds: runs.Folds, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folds.run, tmp_path / "runs" / "small")
    monkeypatch.chdir(tmp_path)
    status, _, errors = call(*words(folds))
    assert status == 0
    assert errors.startswith("runs/small: done already\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit.epoch=3"], "fit.epoch: no such field, did you mean 'epochs'?"),
        (["network=cnn-smal"], "did you mean 'cnn-small'?"),
        (["none.yaml"], "none.yaml: cannot be read (No such file or directory)"),
        (["a.yaml", "b.yaml"], "b.yaml: only one configuration file can be given; fields are FIELD=VALUE"),
        ([], "corpora: none given; name one"),
        (["-c", "ravdess"], "--corpus ravdess: write NAME=PATH, for example ravdess-speech=RAVDESS"),
        (["-c", "ravdes=x"], "did you mean 'ravdess'?"),
        (["--jobs", "2"], "--jobs 2: only folds are trained at a time; add --folds all"),
        (["--folds", "one", "-c", "synthetic=CORPUS"], "--folds one: write all, or numbers such as 1,2,5"),
        (["--folds", "1,1", "-c", "synthetic=CORPUS"], "fold 1 is named twice"),
        (
            ["--folds", "2", "-c", "synthetic=CORPUS"],
            "folds: there is no fold 2; split 'speaker' has but one, choose fold 1, or a split of several folds",
        ),
        (["spectrogram.hop_ms=500", "-c", "synthetic=CORPUS"], "hop_ms"),
        (["runtime.device=mps", "-c", "synthetic=CORPUS"], "runtime.device=mps: there is none here"),
        (["--fold", "1"], "No such option: --fold"),
    ],
)
def test_wrong_words_are_one_line_and_status_2(
    material: runs.Material,
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, output, errors = call("train", *(word.replace("CORPUS", str(material.corpus)) for word in arguments))
    assert (status, output) == (2, "")
    assert message in one_line(errors)
    assert list(tmp_path.iterdir()) == []


def test_a_corpus_that_is_not_there_is_status_1(call: Call, tmp_path: Path) -> None:
    status, output, errors = call("train", "-c", f"tess={tmp_path / 'none'}", "-o", tmp_path / "run")
    assert (status, output) == (1, "")
    assert str(tmp_path / "none") in one_line(errors)
    assert not (tmp_path / "run").exists()


def test_a_folder_of_another_run_is_status_1(folds: runs.Folds, call: Call) -> None:
    status, output, errors = call(*words(folds, "seed=3", "-o", folds.run))
    assert (status, output) == (1, "")
    assert "holds a run of another configuration or other clips; choose another folder" in one_line(errors)


def test_a_single_run_is_not_overwritten_by_folds(folds: runs.Folds, call: Call) -> None:
    before = (folds.run / "metrics.json").read_bytes()
    status, output, errors = call(*words(folds, "-o", folds.run, "--folds", "all"))
    assert (status, output) == (1, "")
    assert "holds a single run; choose another folder for folds" in one_line(errors)
    assert (folds.run / "metrics.json").read_bytes() == before


def test_damaged_metrics_are_one_line(folds: runs.Folds, call: Call, tmp_path: Path) -> None:
    shutil.copytree(folds.run, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").write_text("{")
    status, output, errors = call(*words(folds, "-o", tmp_path / "run"))
    assert (status, output) == (1, "")
    assert "metrics.json: damaged (it is no JSON); delete it and train again" in one_line(errors)


def test_an_interruption_is_status_130_without_noise(
    material: runs.Material, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Learner, "training_step", interrupt)
    corpus = f"synthetic={material.corpus}"
    status, output, errors = call("train", *material.settings(), "-c", corpus, "-o", tmp_path / "run")
    assert (status, output) == (130, "")
    assert errors.splitlines() == [
        "small: 24 train, 12 validation, 12 test clips, split kfold",
        "emogram: stopped; the same command goes on from here",
    ]
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_the_help_says_what_it_does(call: Call) -> None:
    status, output, _ = call("train", "--help")
    assert status == 0
    assert "speakers that were never heard" in " ".join(output.split())
    assert "--folds all --jobs 2" in " ".join(output.split())


def test_a_run_is_summed_up_from_what_is_stored(folds: runs.Folds, call: Call) -> None:
    status, output, errors = call("evaluate", folds.run, "--json")
    assert (status, errors) == (0, "")
    assert json.loads(output) == json.loads((folds.run / "metrics.json").read_text())["test"]
    status, table, _ = call("evaluate", folds.run / "predictions-validation.csv")
    assert status == 0
    assert "12 clips, 1 speakers" in table


def test_a_model_is_put_to_the_test(folds: runs.Folds, call: Call, tmp_path: Path) -> None:
    voices = tmp_path / "voices"
    shutil.copytree(folds.material.corpus, voices)
    [silent] = voices.rglob(f"{runs.SILENT}.wav")
    silent.unlink()
    corpus = f"synthetic={voices}"
    status, output, errors = call(
        "evaluate", folds.run / "model.onnx", "-c", corpus, "-o", tmp_path / "x.csv", "--json"
    )
    assert status == 0
    assert errors == "note: the model learnt from synthetic; where it heard these speakers, this is no test of it\n"
    assert json.loads(output)["clips"] == len(read_predictions(tmp_path / "x.csv")) == 47
    given, stored = read_predictions(tmp_path / "x.csv"), read_predictions(folds.run / "predictions-test.csv")
    places = [given.clip_ids.index(clip_id) for clip_id in stored.clip_ids if not clip_id.endswith(runs.SILENT)]
    kept = [index for index, clip_id in enumerate(stored.clip_ids) if not clip_id.endswith(runs.SILENT)]
    assert abs(given.probabilities[places] - stored.probabilities[kept]).max() <= 1e-4


def test_unusable_clips_are_named_and_status_1(folds: runs.Folds, call: Call, tmp_path: Path) -> None:
    voices = tmp_path / "voices"
    shutil.copytree(folds.material.corpus, voices)
    [unreadable] = voices.rglob("m02_angry_s1_t01.wav")
    unreadable.write_bytes(b"no audio")
    status, output, errors = call("evaluate", folds.run / "model.onnx", "-c", f"synthetic={voices}", "--json")
    assert status == 1
    assert json.loads(output)["clips"] == 46
    assert [line.split(": ")[2].rpartition("/")[2] for line in errors.splitlines()[:-1]] == [
        "m02_angry_s1_t01.wav",
        f"{runs.SILENT}.wav",
    ]


def test_clips_of_unknown_emotions_are_counted(folds: runs.Folds, call: Call, tmp_path: Path) -> None:
    [source] = folds.material.corpus.rglob("m02_angry_s1_t01.wav")
    for emotion in ("angry", "boredom", "surprised"):
        (tmp_path / "own" / emotion).mkdir(parents=True)
        shutil.copy(source, tmp_path / "own" / emotion / f"{emotion}.wav")
    status, output, errors = call("evaluate", folds.run / "model.onnx", "-c", f"folder={tmp_path / 'own'}", "--json")
    assert status == 0
    assert json.loads(output)["clips"] == 1
    assert errors == "2 clips left out: the model was never taught boredom, surprised\n"


def test_a_corpus_of_fewer_emotions_may_be_answered_with_its_own(call: Call, tmp_path: Path) -> None:
    table = tmp_path / "answers.csv"
    rows = [("a", "angry", 0.2, 0.5, 0.3), ("b", "sad", 0.3, 0.4, 0.3), ("c", "angry", 0.6, 0.1, 0.3)]
    lines = [f"{name},own,own-1,female,{said},x,{','.join(map(str, odds))}" for name, said, *odds in rows]
    table.write_text("clip_id,corpus,speaker,sex,emotion,predicted,p_sad,p_calm,p_angry\n" + "\n".join(lines) + "\n")
    found = [
        json.loads(call("evaluate", table, *own, "--json")[1])["metrics"]["accuracy"]["value"]
        for own in ([], ["--own-emotions"])
    ]
    assert found == [0, pytest.approx(2 / 3)]  # of a tie the first: b is sad


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["MODEL"], 2, "model.onnx: a model needs clips to be tested on; add --corpus NAME=PATH"),
        (["RUN", "-c", "synthetic=x"], 2, "--corpus: goes with a model"),
        (["RUN", "-o", "x.csv"], 2, "--output: goes with a model"),
        (["RUN/none"], 2, "does not exist"),
        (["RUN/checkpoints"], 1, "checkpoints: is no run folder, it has no predictions-test.csv; give the folder"),
        (["RUN/manifest.csv"], 1, "manifest.csv: is no table of predictions"),
        (["MODEL", "-c", "ravdess=RUN"], 1, "no clip of 'ravdess' found"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line(
    folds: runs.Folds, call: Call, arguments: list[str], status: int, message: str
) -> None:
    typed = [word.replace("MODEL", str(folds.run / "model.onnx")).replace("RUN", str(folds.run)) for word in arguments]
    given, output, errors = call("evaluate", *typed)
    assert (given, output) == (status, "")
    assert message in one_line(errors)


def test_the_demo_goes_all_the_way(
    folds: runs.Folds, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With voices and a run that are there already, all else as it is."""

    def render(directory: Path) -> None:
        shutil.copytree(folds.material.corpus, directory)

    def finished(configuration: Any, folder: Path, *, clips: Any, say: Any) -> Any:
        assert configuration.network.name == "cnn-tiny"
        assert [Path(clip.path).parents[1] for clip in clips[:1]] == [(tmp_path / "demo" / "voices").absolute()]
        shutil.copytree(folds.run, folder)
        return json.loads((folder / "metrics.json").read_text())

    monkeypatch.setattr(synthetic, "render", render)
    monkeypatch.setattr(run, "train", finished)
    status, output, errors = call("demo", "-o", tmp_path / "demo")
    assert status == 0
    assert "no benchmark" in errors
    assert "A clip of a voice that it never heard, spoken " in output
    assert f"emogram predict --model {tmp_path / 'demo' / 'run' / 'model.onnx'} " in output
    assert (tmp_path / "demo" / "run" / "report.html").is_file()
    assert not (tmp_path / "demo" / "voices.partial").exists()


@pytest.mark.parametrize("kind", ["a file", "other files"])
def test_the_demo_keeps_out_of_other_folders(call: Call, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    if kind == "a file":
        target.write_text("thesis")
    else:
        target.mkdir()
        (target / "thesis.tex").write_text("thesis")
    status, output, errors = call("demo", "-o", target)
    assert (status, output) == (1, "")
    expected = (
        "is a file; choose a folder" if kind == "a file" else "is not empty and holds no demo; choose another folder"
    )
    assert f"{target}: {expected} with --output" in one_line(errors)
    assert [path.name for path in tmp_path.rglob("*")] in (["target"], ["target", "thesis.tex"])


def test_the_demo_refuses_the_folder_of_another_run(folds: runs.Folds, call: Call, tmp_path: Path) -> None:
    shutil.copytree(folds.run, tmp_path / "demo" / "run")
    status, output, errors = call("demo", "-c", f"synthetic={folds.material.corpus}", "-o", tmp_path / "demo")
    assert (status, output) == (1, "")
    assert "holds a run of another configuration or other clips; choose another folder" in one_line(errors)


def test_the_demo_says_how_to_split_two_speakers(material: runs.Material, call: Call, tmp_path: Path) -> None:
    for speaker in ("f01", "m01"):
        shutil.copytree(material.corpus / speaker, tmp_path / "two voices" / speaker)
    status, output, errors = call("demo", "-c", f"synthetic={tmp_path / 'two voices'}", "-o", tmp_path / "demo")
    assert (status, output) == (1, "")
    message = one_line(errors)
    assert "split 'speaker' needs 3 speakers or more" in message
    assert message.endswith(f"emogram train --corpus 'synthetic={tmp_path / 'two voices'}' split.name=stratified")
    assert not (tmp_path / "demo").exists()


def test_the_demo_wants_a_name_and_a_path(call: Call, tmp_path: Path) -> None:
    status, _, errors = call("demo", "-c", "ravdess", "-o", tmp_path / "demo")
    assert status == 2
    assert "--corpus ravdess: write NAME=PATH" in one_line(errors)


def test_the_clip_that_the_demo_shows_is_of_the_test_part(folds: runs.Folds) -> None:
    path, emotion = demo_module._held_out(folds.run)
    [clip] = [clip for clip in corpora.scan("synthetic", folds.material.corpus) if clip.path == path]
    assert clip.emotion == emotion
    assert clip.clip_id in read_predictions(folds.run / "predictions-test.csv").clip_ids


def test_without_the_laboratory_the_extra_is_named(tmp_path: Path) -> None:
    program = """
import sys
from importlib.abc import MetaPathFinder
class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "lightning", "scipy", "matplotlib", "jinja2", "pydantic"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from emogram.cli import main
sys.exit(main(sys.argv[1:]))
"""
    for command in (["train", "-c", "tess=x"], ["evaluate", str(tmp_path)], ["demo", "-o", str(tmp_path / "demo")]):
        done = subprocess.run(
            [sys.executable, "-c", program, *command], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert (
            one_line(done.stderr)
            == f"emogram {command[0]} needs the extra [train]; install it with: pip install 'emogram[train]'"
        )


def test_a_corpus_without_the_laboratory_names_the_extra(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.onnx").touch()
    monkeypatch.setitem(sys.modules, "emogram.training.configuration", None)
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "emogram.training.configuration")
        patch.setitem(sys.modules, "yaml", None)
        patch.delitem(sys.modules, "emogram.training.yaml_text", raising=False)
        status, _, errors = call("evaluate", tmp_path / "m.onnx", "--corpus", f"folder={tmp_path}")
    assert status == 1
    assert "emogram[train]" in one_line(errors)
