"""`emogram networks`: a line a network, the parts of one, JSON, and one line for what cannot be."""

import json

import pytest

from emogram.cli import main
from emogram.networks.registry import NETWORKS


def test_every_network_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["parameters", "multiply-adds,", "3", "s"]
    assert [line.split()[0] for line in lines] == list(NETWORKS)
    base = next(line for line in lines if line.startswith("cnn-base"))
    assert base.split()[1:5] == ["2.81", "M", "168", "M"]


def test_a_fields_value_counts(capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> dict[str, dict[str, int]]:
        assert main(["networks", "--json", *words]) == 0
        rows: dict[str, dict[str, int]] = json.loads(capsys.readouterr().out)
        return rows

    usual, fewer = told(), told("spectrogram.n_mels=32", "--seconds", "1.5")
    assert usual["cnn-tiny"]["parameters"] == fewer["cnn-tiny"]["parameters"]
    assert usual["cnn-tiny"]["multiply_adds"] / fewer["cnn-tiny"]["multiply_adds"] == pytest.approx(4, rel=0.05)


def test_one_that_does_not_fit_says_so_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "spectrogram=chroma"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:]}
    assert list(lines) == list(NETWORKS)
    assert "network=cnn14: halves 12 bands to nothing; choose a spectrogram with at least 32" in lines["cnn14"]
    assert "77.2 k" in lines["cnn-tiny"]


def test_one_is_told_part_by_part(capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "networks",
        "--summary",
        "cnn-tiny",
        "--seconds",
        "0.5",
        "network.stem_channels=6",
        "spectrogram.hop_ms=20",
    ]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("cnn-tiny: Residual CNN")
    assert lines[2].split()[:7] == ["stem", "ConvolutionUnit", "6", "x", "32", "x", "13"]
    facts = {line.split("  ")[0]: line for line in lines[-4:]}
    assert set(facts) == {"parameters", "multiply-adds", "receptive field", "speed"}
    assert "ms every 320 ms" in facts["receptive field"]
    assert "clips/s" in facts["speed"]


def test_json_tells_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "--summary", "cnn-tiny", "--seconds", "0.5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["parameters"] == sum(part["parameters"] for part in told["parts"])
    assert told["receptive_field"]["step_ms"] == 160
    assert told["clips_per_second"]["forward"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--summary", "cnn-tin"], "no network 'cnn-tin', did you mean 'cnn-tiny'? choose cnn-tiny, cnn-small"),
        (["--summary", "cnn-tiny", "network.kernel=2"], "network.kernel=2: must be odd"),
        (["--summary", "cnn14", "spectrogram.n_mels=20"], "network=cnn14: halves 20 bands to nothing"),
        (
            ["cnn-base"],
            "cnn-base: fields are written FIELD=VALUE; one network is shown by: emogram networks --summary cnn-base",
        ),
        (["base"], "base: fields are written FIELD=VALUE; one network is shown by: emogram networks --summary NAME"),
        (["network.kernel=5"], "network: all networks are listed; add --summary NAME"),
        (["spectrogram.n_mel=3"], "spectrogram.n_mel: no such field, did you mean 'n_mels'?"),
    ],
)
def test_what_cannot_be_is_one_line(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(["networks", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
