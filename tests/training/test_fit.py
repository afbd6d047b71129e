"""The fit: another order, crop and speed each epoch; an early stop that lasts; interruptions; devices."""

import csv
import hashlib
import signal
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.utilities.exceptions import SIGTERMException

from emogram.augmentation import Draw, draw
from emogram.errors import ConfigurationError, TrainingError
from emogram.training import data, fit
from emogram.training.checkpoints import load
from emogram.training.configuration import load as load_configuration
from emogram.training.data import ClipDataset, Item
from emogram.training.learner import Learner
from emogram.training.progress import EpochProgress
from emogram.training.run_folder import METRICS
from tests.training import runs
from tests.training.test_checkpoints import same

pytestmark = pytest.mark.usefixtures("without_conclusion")


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def checkpoints(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "checkpoints").iterdir()}


def forget_the_end(folder: Path) -> None:
    """Leave the folder as a run that was killed between its last epoch and its metrics."""
    (folder / METRICS).unlink()


def test_every_epoch_has_an_order_crops_and_speeds_of_its_own(
    small: runs.Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: dict[int, dict[int, str]] = defaultdict(dict)
    drawn: dict[int, list[tuple[Draw, ...]]] = defaultdict(list)
    current: list[int] = []
    give = ClipDataset.__getitem__

    def watched(dataset: ClipDataset, address: tuple[int, int]) -> Item:
        current[:] = address[:1]
        item = give(dataset, address)
        if dataset.augmentation is not None:
            met[address[0]][item.index] = hashlib.sha256(item.wave.numpy().tobytes()).hexdigest()
        return item

    def watched_draw(*arguments: Any) -> tuple[Draw, ...]:
        drawn[current[0]].append(draw(*arguments))
        return drawn[current[0]][-1]

    monkeypatch.setattr(ClipDataset, "__getitem__", watched)
    monkeypatch.setattr(data, "draw", watched_draw)
    small.train("fit.batch_size=2")
    assert sorted(met) == [0, 1]
    assert sorted(met[0]) == sorted(met[1])
    assert list(met[0]) != list(met[1])
    assert not set(met[0].values()) & set(met[1].values())
    assert {name for each in drawn.values() for draws in each for name in [one.name for one in draws]} == {
        "speed",
        "gain",
    }
    assert not set(drawn[0]) & set(drawn[1])


def test_a_folder_of_recordings_that_is_not_there_is_named_before_anything_is_written(small: runs.Small) -> None:
    with pytest.raises(ConfigurationError, match=r"augmentation: folder: /nowhere/noises: no such folder"):
        small.train("augmentation.waveform=[{name: background, folder: /nowhere/noises}]")
    assert not small.folder.exists()


@pytest.mark.parametrize(
    "setting",
    [
        "fit.balance=weights",
        "fit.balance=sampling",
        "fit.averaging=0",
        "fit.averaging=swa",
        "fit.gradient_clip=0",
        "fit.accumulation=2",
        "fit.optimizer=muon",
    ],
)
def test_every_way_of_fitting_runs_through(small: runs.Small, setting: str) -> None:
    small.train(setting, "fit.epochs=1")
    [epoch] = history(small.folder)
    assert float(epoch["train_loss"]) > 0
    assert 0 <= float(epoch["validation_uar"]) <= 1
    assert float(epoch["train_loss_variance"]) >= 0
    assert 0 < float(epoch["gradient_norm_mean"]) <= float(epoch["gradient_norm_max"])


def test_gradients_are_measured_before_they_are_clipped(small: runs.Small, monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    step = torch.optim.AdamW.step

    def watched(optimizer: torch.optim.AdamW, closure: Any = None) -> Any:
        def and_measure() -> Any:
            loss = closure()
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            norms.append(float(torch.nn.utils.get_total_norm([w.grad for w in weights if w.grad is not None])))
            return loss

        return step(optimizer, and_measure)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    small.train("fit.epochs=1", "fit.batch_size=4", "fit.gradient_clip=0.01")
    [epoch] = history(small.folder)
    assert max(norms) == pytest.approx(0.01, rel=1e-3)
    assert float(epoch["gradient_norm_mean"]) > 0.05


def test_gradients_of_several_batches_make_one_step(small: runs.Small) -> None:
    clips = len(small.train("fit.batch_size=2", "fit.accumulation=4", "fit.epochs=1") or small.clips)
    assert clips
    state = load(small.folder / "checkpoints" / "last.safetensors")
    batches = state["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]["completed"]
    assert state["global_step"] == -(-batches // 4)
    assert state["lr_schedulers"][0]["last_epoch"] == state["global_step"]


def test_class_weights_reach_the_loss(small: runs.Small) -> None:
    small.clips = [clip for clip in small.clips if clip.emotion == "sad" or clip.text == "s1"]
    small.train("fit.balance=weights", "fit.epochs=1")
    weighted = history(small.folder)[0]["train_loss"]
    small.folder = small.folder.with_name("plain")
    small.train("fit.epochs=1")
    assert weighted != history(small.folder)[0]["train_loss"]


@pytest.fixture
def hopeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation that never gets better."""
    log = Learner.log

    def constant(learner: Learner, name: str, value: Any, **options: Any) -> None:
        log(learner, name, torch.tensor(0.5), **options)

    monkeypatch.setattr(Learner, "log", constant)


@pytest.mark.usefixtures("hopeless")
def test_a_run_that_stopped_early_stays_stopped(small: runs.Small) -> None:
    small.train("fit.epochs=9", "fit.patience=1")
    assert len(history(small.folder)) == 2
    before = checkpoints(small.folder)
    forget_the_end(small.folder)
    small.train("fit.epochs=9", "fit.patience=1")
    assert len(history(small.folder)) == 2
    assert checkpoints(small.folder) == before


def test_a_run_that_had_all_its_epochs_trains_no_more(small: runs.Small) -> None:
    small.train()
    before = history(small.folder), checkpoints(small.folder)
    forget_the_end(small.folder)
    small.train()
    assert (history(small.folder), checkpoints(small.folder)) == before


def stop_in_epoch(number: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Learner.training_step

    def interrupted(learner: Learner, batch: Any, index: int) -> Any:
        if learner.current_epoch == number - 1:
            raise error
        return step(learner, batch, index)

    monkeypatch.setattr(Learner, "training_step", interrupted)


@pytest.mark.parametrize(
    "more",
    [
        ["fit.averaging=0"],
        ["fit.averaging=0.9"],
        ["fit.optimizer=muon", "fit.averaging={name: swa, start: 0.5}", "fit.accumulation=2"],
        ["fit.optimizer=lion", "fit.schedule={name: plateau, patience: 0}", "fit.monitor=validation_loss"],
    ],
    ids=" ".join,
)
def test_a_run_that_was_interrupted_ends_as_if_it_had_not_been(
    small: runs.Small, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    settings = (*more, "fit.epochs=3", "fit.batch_size=4")
    small.train(*settings)
    undisturbed, small.folder = small.folder, small.folder.with_name("cut")
    with monkeypatch.context() as first:
        stop_in_epoch(2, KeyboardInterrupt(), first)
        with pytest.raises(KeyboardInterrupt):
            small.train(*settings)
    small.train(*settings)
    scores = [[list(row.values())[:10] for row in history(folder)] for folder in (undisturbed, small.folder)]
    assert scores[0] == scores[1]
    ends = [load(folder / "checkpoints" / "last.safetensors") for folder in (undisturbed, small.folder)]
    assert same(ends[0]["state_dict"], ends[1]["state_dict"])
    assert same(ends[0]["optimizer_states"], ends[1]["optimizer_states"])


def test_a_run_that_moved_knows_its_best_checkpoint(small: runs.Small, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.9, 0.5])
    log = Learner.log

    def falling(learner: Learner, name: str, value: Any, **options: Any) -> None:
        log(learner, name, torch.tensor(next(scores)) if name == "validation_uar" else value, **options)

    monkeypatch.setattr(Learner, "log", falling)
    with monkeypatch.context() as first:
        stop_in_epoch(2, KeyboardInterrupt(), first)
        with pytest.raises(KeyboardInterrupt):
            small.train()
    best = checkpoints(small.folder)["best.safetensors"]
    small.folder = small.folder.rename(small.folder.with_name("moved"))
    small.train()
    assert checkpoints(small.folder)["best.safetensors"] == best
    assert load(small.folder / "checkpoints" / "last.safetensors")["epoch"] == 1


def test_an_interruption_is_one_and_can_be_continued(small: runs.Small, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[bool] = []
    exception = EpochProgress.on_exception

    def watched(progress: EpochProgress, *arguments: Any) -> None:
        running.append(progress.bar.live.is_started)
        exception(progress, *arguments)
        running.append(progress.bar.live.is_started)

    monkeypatch.setattr(EpochProgress, "on_exception", watched)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as first:
        stop_in_epoch(2, KeyboardInterrupt(), first)
        with pytest.raises(KeyboardInterrupt):
            small.train()
    assert signal.getsignal(signal.SIGINT) is handler
    assert running == [True, False]
    assert len(history(small.folder)) == 1
    small.train()
    assert len(history(small.folder)) == 2


def test_a_termination_is_no_success(small: runs.Small, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_in_epoch(1, SIGTERMException(), monkeypatch)
    with pytest.raises(SystemExit) as ending:
        small.train()
    assert ending.value.code == 128 + signal.SIGTERM


def test_a_loss_that_is_no_number_is_one_line(small: runs.Small, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Learner._network
    monkeypatch.setattr(Learner, "_network", lambda *arguments: network(*arguments) * float("nan"))
    with pytest.raises(
        TrainingError, match=r"epoch 1, batch 1: the loss is nan; lower fit\.optimizer\.learning_rate"
    ) as refusal:
        small.train()
    assert "\n" not in str(refusal.value)
    assert not (small.folder / METRICS).exists()


def test_a_loss_that_explodes_is_one_line(small: runs.Small, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Learner._network
    monkeypatch.setattr(Learner, "_network", lambda *arguments: network(*arguments) * 1e4)
    with pytest.raises(
        TrainingError, match=r"epoch 2, batch 1: the loss has exploded to .*, for 4 batches above 3\.47"
    ):
        small.train("fit.batch_size=2", "fit.stability.batches=4")
    assert len(history(small.folder)) == 1


def test_a_damaged_checkpoint_is_one_line(small: runs.Small) -> None:
    small.train("fit.epochs=1")
    forget_the_end(small.folder)
    last = small.folder / "checkpoints" / "last.safetensors"
    last.write_bytes(last.read_bytes()[:100])
    with pytest.raises(Exception, match=r"last\.safetensors: not a checkpoint of emogram, or damaged") as refusal:
        small.train("fit.epochs=1")
    assert type(refusal.value).__name__ == "ModelError"


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for backend in (torch.cuda, torch.backends.mps):
        monkeypatch.setattr(backend, "is_available", lambda: False)
    with pytest.raises(ConfigurationError, match=rf"runtime\.device={device}: there is none here; choose auto or cpu"):
        fit.check_device(load_configuration(None, [f"runtime.device={device}"]).runtime)
    for present in ("auto", "cpu"):
        fit.check_device(load_configuration(None, [f"runtime.device={present}"]).runtime)


@pytest.mark.parametrize(("precision", "bf16"), [("bf16", True), ("fp32", False)])
def test_a_precision_that_is_asked_for_is_taken(precision: str, bf16: bool) -> None:
    assert fit.uses_bf16(load_configuration(None, [f"runtime.precision={precision}"]).runtime) is bf16
