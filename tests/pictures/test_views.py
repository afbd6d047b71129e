"""Pictures hold the front end's values in their unit, and colours that fit them."""

import numpy as np
import pytest
import torch

from emogram.pictures.views import RANGE_DB, Picture, Shown, Version, limits, look, side_by_side
from emogram.spectrograms import SPECTROGRAMS
from emogram.spectrograms.settings import TypeSettings

RATE = 16_000


def tone(
    seconds: float = 0.5, hz: float = 1000.0, level: float = 0.3
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def seen(name: str, version: Version, **fields: object) -> list[Picture]:
    settings: TypeSettings = SPECTROGRAMS[name].model_validate(fields)
    return look(version, settings, settings.build(RATE), RATE)


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_a_picture_of_every_type_is_what_the_front_end_gives(name: str) -> None:
    front_end = SPECTROGRAMS[name].model_validate({}).build(RATE)
    pictures = seen(name, Version("tone", tone()))
    assert [picture.channel for picture in pictures] == (list(front_end.channels) if len(pictures) > 1 else [""])
    with torch.inference_mode():
        spec = front_end(torch.from_numpy(tone())[None])[0].numpy()
    for picture, values in zip(pictures, spec, strict=True):
        assert picture.values == pytest.approx(values * (front_end.db_per_value or 1), rel=1e-5, abs=1e-5)
        assert picture.unit != "value" or name == "whisper"
        low, high = limits([picture])
        assert np.isfinite([low, high]).all()
        assert low < high


def test_a_tone_lies_at_its_frequency_and_level() -> None:
    [picture] = seen("logstft", Version("tone", tone()))
    assert picture.unit == "dB"
    row = int(picture.values[:, 25].argmax())
    assert picture.axis.values[row] == pytest.approx(1000, abs=16)
    # Amplitude a gives a windowed sum of a / 4 times the window's 400 samples.
    assert picture.values[row, 25] == pytest.approx(20 * np.log10(0.3 * 400 / 4), abs=0.1)


def test_levels_reach_down_so_far_and_signed_values_both_ways() -> None:
    [level] = seen("logmel", Version("tone", tone()), floor=1e-20)
    low, high = limits([level])
    assert high - low == pytest.approx(RANGE_DB)
    assert high == level.values.max()
    [cepstrum] = seen("mfcc", Version("tone", tone()))
    low, high = limits([cepstrum])
    assert low == -high
    assert high <= np.abs(cepstrum.values[1:]).max() < np.abs(cepstrum.values[0]).max()


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_silence_has_colours_too(name: str) -> None:
    for picture in seen(name, Version("silence", np.zeros(4000, np.float32))):
        low, high = limits([picture])
        assert low < high


def test_units_follow_the_settings() -> None:
    assert seen("cqt", Version("tone", tone()), compression="none")[0].unit == "power"
    assert seen("mel", Version("tone", tone()), exponent=0.5)[0].unit == "power^0.5"
    assert [picture.unit for picture in seen("deltas", Version("tone", tone()))] == [
        "dB",
        "dB per frame",
        "dB per frame²",
    ]


def test_a_change_happens_to_the_standardised_spectrogram() -> None:
    def flatten(spec: torch.Tensor, _: object) -> torch.Tensor:
        assert abs(float(spec.mean())) < 1e-4
        assert float(spec.std()) == pytest.approx(1, rel=1e-3)
        return spec * 0

    [before] = seen("logmel", Version("as recorded", tone()))
    [after] = seen("logmel", Version("flat", tone(), flatten))
    assert after.values == pytest.approx(before.values.mean(), rel=1e-4)


def test_versions_are_told_apart() -> None:
    one, two = Version("as recorded", tone()), Version("gain", tone())
    looks = [[seen("logmel", one), seen("hpss", one)]]
    versions, pictures = side_by_side([Shown("a", [one], looks), Shown("b", [one], looks)])
    assert [version.title for version in versions] == ["a", "b"]
    assert [picture.title for picture in pictures[0]] == ["logmel", "hpss: harmonic", "hpss: percussive"]
    assert [version.title for version in side_by_side([Shown("a", [one, two], looks * 2)])[0]] == [
        "as recorded",
        "gain",
    ]
    assert side_by_side([Shown("a", [one, two], looks * 2), Shown("b", [one, two], looks * 2)])[0][3].title == "b, gain"
    assert side_by_side([Shown("a", [one], looks)])[0][0].title == "a"
