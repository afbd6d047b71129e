"""A soup: what is kept is the mean of fits that differ in their draws, however often they were interrupted."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from emogram.errors import ConfigurationError
from emogram.training import soup
from emogram.training.checkpoints import load
from emogram.training.configuration import validate
from emogram.training.fit import BEST, checkpoint, fit
from emogram.training.history import Epoch
from emogram.training.learner import Learner
from emogram.training.run import validate_only
from tests.training import runs
from tests.training.distillation.teachers import publish

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def settings(narrow_whisper: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    source = publish(tmp_path_factory.mktemp("published") / "model.safetensors")
    return (
        "spectrogram=whisper",
        "network={name: whisper-tiny, blocks: 2, pooled: 1}",
        f"transfer.source={source}",
        "fit.epochs=2",
        "fit.soup=3",
    )


def weights(folder: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = load(checkpoint(folder, BEST))["state_dict"]
    return state


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    """Weights of the fits as they are averaged, since their checkpoints go afterwards."""
    met: list[dict[str, Tensor]] = []
    original = soup.mean_weights

    def look(checkpoints: list[Path]) -> dict[str, Tensor]:
        met.extend(load(path)["state_dict"] for path in checkpoints)
        return original(checkpoints)

    monkeypatch.setattr(soup, "mean_weights", look)
    return met


def test_what_is_kept_is_the_mean(small: runs.Small, settings: tuple[str, ...], kept: list[dict[str, Tensor]]) -> None:
    metrics = small.train(*settings, scores_only=True)
    assert len(kept) == 3
    mean = weights(small.folder)
    learnt = 0
    for name, tensor in mean.items():
        parts = [state[name] for state in kept]
        torch.testing.assert_close(tensor, torch.stack([part.double() for part in parts]).mean(dim=0).to(tensor))
        learnt += not torch.equal(parts[0], parts[1])
    assert learnt > 10
    assert metrics["epochs"] == 2
    assert not list((small.folder / "soup").rglob("*.safetensors"))
    assert sorted(path.parent.name for path in (small.folder / "soup").rglob("history.csv")) == ["1", "2", "3"]


def test_the_first_fit_is_that_of_a_run_without_a_soup(
    small: runs.Small, settings: tuple[str, ...], kept: list[dict[str, Tensor]], tmp_path: Path
) -> None:
    small.train(*settings, scores_only=True)
    small.folder = tmp_path / "alone"
    small.train(*settings, "fit.soup=1", scores_only=True)
    alone = weights(small.folder)
    assert all(torch.equal(tensor, kept[0][name]) for name, tensor in alone.items())


def test_interrupted_it_ends_with_the_same_weights(
    small: runs.Small, settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    small.train(*settings, scores_only=True)
    undisturbed = weights(small.folder)
    small.folder = tmp_path / "again"
    original, begun = fit, list[Path]()

    def stopping(learner: Any, training: Any, validation: Any, folder: Path) -> Any:
        begun.append(folder)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return original(learner, training, validation, folder)

    monkeypatch.setattr(soup, "fit", stopping)
    with pytest.raises(KeyboardInterrupt):
        small.train(*settings, scores_only=True)
    small.train(*settings, scores_only=True)
    assert [folder.name for folder in begun] == ["1", "2", "1", "2", "3"]
    again = weights(small.folder)
    assert all(torch.equal(tensor, again[name]) for name, tensor in undisturbed.items())
    small.train(*settings, scores_only=True)
    assert len(begun) == 5


def test_interrupted_while_blocks_learn_one_after_another_it_ends_with_the_same_weights(
    small: runs.Small, settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Two epochs are too few for the stem to learn: the first fit leaves it frozen, and the second starts anew.
    gradual = (*settings, "transfer.unfreeze_every=1", "fit.soup=2")
    small.train(*gradual, scores_only=True)
    undisturbed = weights(small.folder)
    small.folder = tmp_path / "again"
    original, begun = Learner.on_train_epoch_start, list[int]()

    def stopping(learner: Learner) -> None:
        begun.append(learner.current_epoch)
        if len(begun) == 4:
            raise KeyboardInterrupt
        original(learner)

    monkeypatch.setattr(Learner, "on_train_epoch_start", stopping)
    with pytest.raises(KeyboardInterrupt):
        small.train(*gradual, scores_only=True)
    small.train(*gradual, scores_only=True)
    assert begun == [0, 1, 0, 1, 1]
    again = weights(small.folder)
    assert all(torch.equal(tensor, again[name]) for name, tensor in undisturbed.items())


def test_the_history_is_the_mean_of_those_that_came_so_far() -> None:
    def epoch(number: int, loss: float) -> Epoch:
        return Epoch(number, 0.1, loss, 0.5, 1.0, 0.5, 0.5, 0.0, 1.0, 1.0, 1.0, 10.0)

    rows = soup._mean_history([[epoch(1, 2.0), epoch(2, 1.0)], [epoch(1, 4.0)]])
    assert [(row.epoch, row.train_loss) for row in rows] == [(1, 3.0), (2, 1.0)]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "fit.soup=2: fits that start at random have nothing in common"),
    ({"transfer": {"source": "w", "lora_rank": 4}}, "fit.soup=2: the mean of factors of low rank"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_what_no_mean_is_a_network_of(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        soup.require_a_start(validate({"fit": {"soup": 2}, **fields}))
    soup.require_a_start(validate({"fit": {"soup": 1}, **fields}))


def test_a_search_watches_single_fits(small: runs.Small, settings: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"fit\.soup=3: here a single fit is watched; choose 1"):
        validate_only(small.configuration(*settings), tmp_path / "run", small.clips, lambda _: None)


def test_one_fit_is_no_part_of_a_runs_identity() -> None:
    assert "soup" not in validate({}).determinants()["fit"]
    assert validate({"fit": {"soup": 2}}).determinants()["fit"]["soup"] == 2
