"""Search: what a space may be, that it goes on, stops what lags, and asks for nothing but validation scores."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emogram.corpora import Clip
from emogram.errors import ConfigurationError, TrainingError
from emogram.studies import search as module
from emogram.studies.search import Dimension, read_dimension, search
from emogram.training.cache import AudioCache
from emogram.training.configuration import Configuration, load
from emogram.training.history import Epoch, Watch
from emogram.training.material import prepare
from emogram.training.run import validate_only
from tests.training import runs


def epoch(number: int, uar: float) -> Epoch:
    scores = dict.fromkeys(Epoch.__slots__, 0.0)
    return Epoch(**scores | {"epoch": number, "validation_uar": uar})  # type: ignore[arg-type]


def best_without_dropout(
    configuration: Configuration, folder: Path, clips: Sequence[Clip], watch: Watch
) -> list[Epoch]:
    """A stand-in for a fit that is the better the less dropout it has."""
    score = 1 - configuration.network.model_dump()["dropout"]
    epochs = [epoch(number, score * number / 5) for number in range(1, 6)]
    for one in epochs:
        watch(one)
    return epochs


def configure(changes: Sequence[str]) -> Configuration:
    return load(None, ["network=cnn-tiny", *changes])


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("a=0.0..0.6", Dimension("a", 0.0, 0.6)),
        ("a=1e-4..1e-2:log", Dimension("a", 1e-4, 1e-2, log=True)),
        ("a.b=8..64", Dimension("a.b", 8, 64)),
        ("a=x,y", Dimension("a", choices=("x", "y"))),
    ],
)
def test_a_space(text: str, dimension: Dimension) -> None:
    assert read_dimension(text) == dimension


@pytest.mark.parametrize("text", ["a", "a=", "=1..2", "a=2..1", "a=0..1:log", "a=x", "a=x,x", "a=x..y", "a=x,,y"])
def test_no_space(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--space"):
        read_dimension(text)


def test_a_search_goes_on_and_finds_what_is_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "validate_only", best_without_dropout)
    space = [read_dimension("network.dropout=0.0..0.9"), read_dimension("fit.batch_size=8,16")]
    first = search(configure, space, [], tmp_path, trials=6)
    assert first["trials"] == 6
    said: list[str] = []
    found = search(configure, space, [], tmp_path, trials=14, say=said.append)
    assert len(said) == 8
    assert (found["trials"], found["metric"]) == (14, "validation_uar")
    assert found["value"] == pytest.approx(1 - found["changes"]["network.dropout"])
    assert found["pruned"] > 0
    assert load(tmp_path / "best.yaml").network.model_dump()["dropout"] == found["changes"]["network.dropout"]
    assert (tmp_path / "importance.png").exists()
    assert len((tmp_path / "trials.csv").read_text().splitlines()) == 15
    with pytest.raises(ConfigurationError, match="holds a search of another space"):
        search(configure, space[:1], [], tmp_path, trials=1)


def proposals(folder: Path, *calls: int, storage: str | None = None) -> list[float]:
    """Rates of dropout that a search proposes which is asked for so many trials, call after call."""
    space = [read_dimension("network.dropout=0.0..0.9")]
    for trials in calls:
        search(configure, space, [], folder, trials=trials, storage=storage)
    rows = (folder / "trials.csv").read_text().splitlines()
    return [float(row.split(",")[3]) for row in rows[1:]]


def test_a_search_that_goes_on_proposes_what_it_would_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "validate_only", best_without_dropout)
    whole = proposals(tmp_path / "whole", 9)
    assert len(set(whole)) == 9
    assert proposals(tmp_path / "again", 9) == whole
    assert proposals(tmp_path / "parted", 2, 4, 8, 9) == whole


def test_two_workers_on_one_storage_propose_different_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[float] = []
    storage = f"sqlite:///{tmp_path / 'shared.db'}"

    def other_begins(configuration: Configuration, *arguments: Any) -> list[Epoch]:
        met.append(configuration.network.model_dump()["dropout"])
        if len(met) == 1:
            proposals(tmp_path / "other", 1, storage=storage)
        return best_without_dropout(configuration, *arguments)

    monkeypatch.setattr(module, "validate_only", other_begins)
    proposals(tmp_path / "one", 1, storage=storage)
    assert len(set(met)) == 2


CLIP = Clip(
    clip_id="own/a", path="/here/a.wav", corpus="own", speaker="own-1", emotion="sad", raw_label="sad", sha256="1"
)


@pytest.mark.parametrize(
    ("overrides", "clips"),
    [
        (["network.stochastic_depth=0.05"], [CLIP]),
        (["fit.batch_size=4"], [CLIP]),
        ([], [replace(CLIP, emotion="angry")]),
        ([], [replace(CLIP, sha256="2")]),
        ([], [CLIP, replace(CLIP, clip_id="own/b")]),
    ],
)
def test_a_storage_takes_no_other_base_and_no_other_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], clips: list[Clip]
) -> None:
    monkeypatch.setattr(module, "validate_only", best_without_dropout)
    space = [read_dimension("network.dropout=0.0..0.9"), read_dimension("fit.optimizer.learning_rate=1e-4..1e-2")]
    search(configure, space, [CLIP], tmp_path, trials=1)
    with pytest.raises(ConfigurationError, match="holds a search of another space, base or clips"):
        search(lambda changes: configure([*overrides, *changes]), space, clips, tmp_path, trials=2)
    elsewhere = [replace(CLIP, path="/there/a.wav")]
    found = search(lambda changes: configure(["network.dropout=0.3", *changes]), space, elsewhere, tmp_path, trials=2)
    assert found["trials"] == 2


def test_a_trial_that_fails_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*arguments: Any) -> list[Epoch]:
        raise TrainingError("it diverged")

    monkeypatch.setattr(module, "validate_only", fit)
    with pytest.raises(TrainingError, match="no trial could be finished"):
        search(configure, [read_dimension("network.dropout=0.0..0.9")], [], tmp_path, trials=3)


def test_a_field_that_cannot_be_is_told_before_any_trial(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"network\.droput: no such field"):
        search(configure, [read_dimension("network.droput=0.0..0.9")], [], tmp_path, trials=1)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        search(configure, [read_dimension("network.dropout=0.0..0.9")], [], tmp_path, trials=1, storage="nonsense")


def test_only_validation_is_looked_at(tmp_path: Path, material: runs.Material, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    listen = AudioCache.__call__

    def note(cache: Any, clip: Clip) -> Any:
        heard.append(clip.clip_id)
        return listen(cache, clip)

    monkeypatch.setattr(AudioCache, "__call__", note)
    configuration, told = material.configuration("fit.epochs=1"), list[Epoch]()
    epochs = validate_only(configuration, tmp_path / "run", material.clips(), told.append)
    parts = prepare(configuration, material.clips()).split
    assert epochs == told
    assert {clip.clip_id for clip in parts.validation} <= set(heard)
    assert not {clip.clip_id for clip in parts.test} & set(heard)
    assert not list((tmp_path / "run").glob("predictions-*"))
