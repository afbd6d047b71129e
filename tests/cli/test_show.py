"""`emogram show`: figures, the terminal, sounds, and one line for what is wrong."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from emogram.cli import main
from emogram.cli.typed import sort_out
from emogram.errors import ConfigurationError
from tests.recognition.ears import bursts, pitch_model

RATE = 22_050
Call = Callable[..., tuple[int, str, str]]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run `emogram show` in an empty folder with two clips; status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        soundfile.write(f"{name}.wav", 0.1 * rng.standard_normal((RATE // 3, 2)), RATE)

    def run_command(*arguments: object) -> tuple[int, str, str]:
        status = main(["show", *(str(argument) for argument in arguments)])
        return status, *capsys.readouterr()

    return run_command


def made() -> set[str]:
    return {path.as_posix() for path in Path().rglob("*") if path.is_file()} - {"one.wav", "two.wav"}


def test_a_figure_is_written_and_named(call: Call) -> None:
    assert call("one.wav", "-o", "deep/one.svg") == (0, "deep/one.svg\n", "")
    assert ElementTree.parse("deep/one.svg").getroot().tag.endswith("svg")
    assert call("one.wav", "two.wav", "-s", "logmel,mfcc", "-o", "both.png") == (0, "both.png\n", "")
    assert Path("both.png").read_bytes().startswith(PNG)
    assert made() == {"deep/one.svg", "both.png"}


def test_a_folder_gets_a_figure_of_each_clip(call: Call) -> None:
    Path("again").mkdir()
    Path("again/one.wav").write_bytes(Path("one.wav").read_bytes())
    status, output, _ = call("one.wav", "two.wav", "again/one.wav", "-o", "figures")
    assert status == 0
    assert output.splitlines() == ["figures/one.png", "figures/two.png", "figures/one-2.png"]


def test_a_pipe_gets_the_name_of_a_file_which_replaces_none(call: Call) -> None:
    assert call("one.wav") == (0, "one.png\n", "")
    before = Path("one.png").read_bytes()
    status, output, errors = call("one.wav", "-s", "mfcc")
    assert (status, output) == (2, "")
    assert errors == "emogram: error: one.png: is there already; name a file with -o, which may replace one\n"
    assert Path("one.png").read_bytes() == before
    assert call("one.wav", "-s", "mfcc", "-o", "one.png")[0] == 0
    assert Path("one.png").read_bytes() != before


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_gets_the_picture_itself(call: Call, monkeypatch: pytest.MonkeyPatch, colour: bool) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for name, value in {"COLUMNS": "60", "TERM": "xterm-256color", "COLORTERM": "truecolor"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    status, output, errors = call("one.wav", "--augment", "noise")
    assert (status, errors, made()) == (0, "", set())
    assert ("▀" in output) is colour
    assert ("\x1b[38;2;" in output) is colour
    assert "snr" in output


def test_what_can_be_heard_is_written(call: Call) -> None:
    status, _, errors = call("one.wav", "-a", "gain,speed", "-a", "masks", "--listen", "heard", "-o", "x.png", "seed=2")
    assert status == 0
    assert errors.splitlines() == [
        "to hear: heard/one.wav",
        "to hear: heard/one-gain.wav",
        "to hear: heard/one-speed.wav",
        "masks: changes the spectrogram, there is nothing to hear",
    ]
    plain, rate = soundfile.read("heard/one.wav")
    louder, _ = soundfile.read("heard/one-gain.wav")
    assert rate == 16_000
    gain = louder / plain
    assert gain.std() < 1e-4
    assert abs(gain.mean() - 1) > 0.01
    assert soundfile.info("heard/one-speed.wav").frames != len(plain)


def test_fields_and_files_configure_what_is_shown(call: Call) -> None:
    Path("my.yaml").write_text("spectrogram: {name: logmel, n_mels: 32}\naudio: {sample_rate: 8000}\n")
    typed = sort_out(["one.wav", "my.yaml", "spectrogram.fmax_hz=3000"])
    assert typed.rest == ("one.wav",)
    [settings] = typed.spectrograms([])
    assert settings.model_dump()["n_mels"] == 32
    assert call("one.wav", "my.yaml", "spectrogram.fmax_hz=3000", "-o", "x.png")[0] == 0
    status, _, errors = call("one.wav", "my.yaml", "-o", "y.png")
    assert status == 2
    assert "fmax_hz=7600: above half the sample rate" in errors


def test_a_field_is_for_the_types_that_have_it() -> None:
    typed = sort_out(["one.wav", "spectrogram.n_mels=32"])
    logmel, chroma = typed.spectrograms(["logmel", "chroma"])
    assert (logmel.model_dump()["n_mels"], chroma.name) == (32, "chroma")
    assert len(typed.spectrograms(["all"])) > 20
    for names in (["chroma"], ["chroma", "cqt"]):
        with pytest.raises(ConfigurationError, match="n_mels: no such field"):
            typed.spectrograms(names)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["none.wav"], 1, "none.wav: "),
        (["seed=1"], 2, "clip: none given; name a recording"),
        (["one.wav", "-s", "logmle"], 2, "no spectrogram 'logmle', did you mean 'logmel'? choose magnitude"),
        (["one.wav", "-a", "nois"], 2, "--augment nois: no such augmentation, did you mean 'noise'?"),
        (["one.wav", "-a", "mixup"], 2, "--augment mixup: mixes two clips; give a second one"),
        (["one.wav", "-o", "x.jpg"], 2, "--output x.jpg: cannot be drawn; choose a name that ends in .png or .svg"),
        (["one.wav", "spectrogram.n_mel=3"], 2, "spectrogram.n_mel: no such field, did you mean 'n_mels'?"),
        (["one.wav", "spectrogram.hop_ms=900"], 2, "hop_ms"),
        (["one.wav", "a.yaml", "b.yaml"], 2, "b.yaml: only one configuration file can be given"),
        (["one.wav", "a.yaml"], 2, "a.yaml: cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line(call: Call, arguments: list[str], status: int, message: str) -> None:
    told, output, errors = call(*arguments)
    assert (told, output) == (status, "")
    assert errors.startswith("emogram: error: ")
    assert errors.count("\n") == 1
    assert message in errors
    assert made() == set()


def test_an_equals_sign_in_a_name_is_no_field(call: Call) -> None:
    Path("a=b.wav").write_bytes(Path("one.wav").read_bytes())
    assert call("a=b.wav", "-o", "x.png")[0] == 0
    assert sort_out(["a=b.wav"]).rest == ("a=b.wav",)


@pytest.fixture
def ear(call: Call) -> str:
    """A model beside the clips, and a clip that it hears something in."""
    Path("ear.onnx").write_bytes(pitch_model())
    soundfile.write("bursts.wav", bursts(), 16_000)
    return "ear.onnx"


def test_why_draws_an_explanation(call: Call, ear: str) -> None:
    status, output, errors = call("bursts.wav", "--why", "-m", ear, "-o", "why.svg")
    assert (status, output) == (0, "why.svg\n")
    assert errors.startswith("bursts.wav: happy 100%, above all 1.00 to 1.25 s, ")
    assert ElementTree.parse("why.svg").getroot().tag.endswith("svg")
    status, output, _ = call("bursts.wav", "one.wav", "--why", "-m", ear, "-e", "sad", "-o", "whys")
    assert (status, output.splitlines()) == (0, ["whys/bursts.png", "whys/one.png"])


def test_why_goes_to_a_terminal(call: Call, ear: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("EMOGRAM_MODEL", ear)
    monkeypatch.setenv("NO_COLOR", "1")
    status, output, errors = call("bursts.wav", "--why")
    assert (status, errors) == (0, "")
    assert "####" in output
    assert "without the strongest 10% of the cells" in " ".join(output.split())


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["one.wav", "-e", "sad"], 2, "--emotion: goes with an explanation; add --why"),
        (["one.wav", "--why", "-s", "mfcc"], 2, "--spectrogram: changes nothing about an explanation"),
        (["one.wav", "--why", "-a", "noise"], 2, "--augment: changes nothing"),
        (["one.wav", "--why", "seed=3"], 2, "seed=3: changes nothing"),
        (["one.wav", "two.wav", "--why", "-o", "x.png"], 2, "--output x.png: holds one picture, not 2; name a folder"),
        (["one.wav", "--why", "-e", "hapy", "-o", "x.png"], 2, "emotion: 'hapy' is unknown to the model, did you mean"),
        (["none.wav", "--why", "-o", "x.png"], 1, "none.wav: does not exist"),
        (["one.wav", "--why", "-m", "none.onnx", "-o", "x.png"], 1, "none.onnx: does not exist"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    call: Call, ear: str, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, message: str
) -> None:
    monkeypatch.setenv("EMOGRAM_MODEL", ear)
    told, output, errors = call(*arguments)
    assert (told, output, errors.count("\n")) == (status, "", 1)
    assert message in errors
    assert not list(Path().glob("*.png"))
