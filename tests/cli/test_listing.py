"""`emogram list`: a line a choice, a setting a line, JSON, and one line for a wrong name."""

import json

import pytest

from emogram.augmentation import AUGMENTATIONS
from emogram.cli import main
from emogram.networks.registry import NETWORKS
from emogram.spectrograms import SPECTROGRAMS
from emogram.training.optimisation.optimizers import OPTIMIZERS
from emogram.training.optimisation.schedules import SCHEDULES

NAMES = {
    "spectrograms": list(SPECTROGRAMS),
    "augmentations": list(AUGMENTATIONS),
    "networks": list(NETWORKS),
    "optimizers": list(OPTIMIZERS),
    "schedules": list(SCHEDULES),
}


@pytest.mark.parametrize("kind", NAMES)
def test_every_name_has_its_line(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == NAMES[kind]
    assert all(len(line.split()) > 3 for line in lines)


def test_a_recipe_says_what_it_changes_and_shows_its_own_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "networks", "cnn-base"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == f"cnn-base  {NETWORKS['cnn-base'].recipes['cnn-base'].summary}"
    assert "  channels=[48, 96, 192, 384] " in "\n".join(lines)


def test_a_type_shows_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "spectrograms", "modulation"]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    shown = dict(line.strip().split("=", 1) for line in lines)
    assert set(shown) == set(SPECTROGRAMS["modulation"].model_fields) - {"name"}
    assert shown["modulations_hz"].startswith("[2.0, 4.0, 8.0, 16.0]  rates of modulation")
    assert shown["compression"].startswith("log  ")


def test_json_holds_every_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "spectrograms", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == list(SPECTROGRAMS)
    assert told["logmel"]["fields"]["n_mels"] == {
        "default": 64,
        "type": "a whole number from 4 to 1024",
        "meaning": "number of bands",
    }


def test_a_wrong_name_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "spectrograms", "mfc"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("emogram: error: 'mfc': not among the spectrograms, did you mean 'mfcc'?")
    assert error.count("\n") == 1
