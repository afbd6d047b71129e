from collections.abc import Callable
from pathlib import Path

import pytest

from emogram.corpora import check, scan
from emogram.corpora.tess import official, read

Record = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "speaker", "age", "emotion"),
    [
        ("OAF_Pleasant_surprise/OAF_back_ps.wav", "tess-OAF", "64", "surprised"),
        ("YAF_pleasant_surprised/YAF_back_ps.wav", "tess-YAF", "26", "surprised"),
        ("OAF_Fear/OAF_back_fear.ogg", "tess-OAF", "64", "fearful"),
        ("YAF_fear/YAF_neat_fear.wav", "tess-YAF", "26", "fearful"),
        ("anything/YAF_back_neutral.flac", "tess-YAF", "26", "neutral"),
    ],
)
def test_the_file_name_counts_however_its_folder_is_spelt(name: str, speaker: str, age: str, emotion: str) -> None:
    clip = read(Path(name))
    assert clip is not None
    assert (clip.speaker, clip.sex, clip.age, clip.emotion) == (speaker, "female", age, emotion)
    assert clip.text in ("back", "neat")


@pytest.mark.parametrize("stem", ["OA_bite_neutral", "OAF_bite_neutral"])
def test_the_misnamed_clip_is_speaker_oaf_and_one_clip_also_where_it_was_put_right(stem: str) -> None:
    clip = read(Path(f"OAF_neutral/{stem}.wav"))
    assert clip is not None
    assert (clip.clip_id, clip.speaker, clip.text) == ("tess/OA_bite_neutral", "tess-OAF", "bite")
    assert clip.clip_id in official(())


def test_other_names_are_not_tess() -> None:
    for name in ("OAF_back_surprise.wav", "XAF_back_ps.wav", "OAF_back_ps2.wav", "OAF_back.wav"):
        assert read(Path(name)) is None


def test_a_word_that_tess_does_not_have_is_extra(tmp_path: Path, record: Record) -> None:
    record("OAF_zebra_ps.wav")
    record("OAF_back_ps.wav")
    report = check("tess", tmp_path)
    assert (report.extra, report.clips, len(report.missing)) == (["OAF_zebra_ps.wav"], 2, 2799)


def test_the_bundle_that_holds_the_set_twice_counts_once(tmp_path: Path, record: Record) -> None:
    name = "TESS Toronto emotional speech set data/OAF_angry/OAF_back_angry.wav"
    record(name)
    record(f"TESS Toronto emotional speech set data/{name}", like=name)
    assert [clip.path for clip in scan("tess", tmp_path)] == [str(tmp_path / name)]


def test_the_original_quirks_are_read(emogram_data: Path) -> None:
    clips = {clip.clip_id: clip for clip in scan("tess", emogram_data / "originals" / "tess")}
    assert sorted(clips) == [
        "tess/OAF_back_angry",
        "tess/OAF_food_fear",  # 96 kHz
        "tess/OA_bite_neutral",
        "tess/YAF_back_ps",
        "tess/YAF_germ_angry",  # AIFF data in a .wav
        "tess/YAF_neat_fear",
    ]
    assert all(1 < clip.duration_s < 3 for clip in clips.values())
    assert clips["tess/OAF_food_fear"].duration_s == pytest.approx((290388 - 44) / 2 / 96000, abs=0.01)
