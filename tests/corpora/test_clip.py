from pathlib import Path

import pytest

from emogram.corpora import FIELDS, Clip, read_manifest, write_manifest
from emogram.errors import CorpusError

CLIPS = [
    Clip(
        clip_id="own/ä,b",
        path='/data/a "quoted", with comma.wav',
        corpus="own",
        speaker="own-anna",
        emotion="angry",
        raw_label="wütend\nsehr",
        duration_s=1.25,
        sha256="00ff",
    ),
    Clip(clip_id="own/not-utf-8", path="\udcff.wav", corpus="own", speaker="", emotion="sad", raw_label="sad"),
    Clip(clip_id="own/c", path="c.wav", corpus="own", speaker="", emotion="sad", raw_label="sad"),
]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    write_manifest(path, CLIPS)
    assert read_manifest(path) == CLIPS
    assert [entry.name for entry in tmp_path.iterdir()] == ["clips.csv"]


def test_parts_are_a_last_column_that_reading_ignores(tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    write_manifest(path, CLIPS, parts=["train", "test", "test"])
    assert path.read_bytes().decode("utf-8", "replace").splitlines()[0].split(",") == [*FIELDS, "part"]
    assert read_manifest(path) == CLIPS


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("path,emotion\na.wav,sad\n", "lacks the columns age, clip_id"),
        ("", "lacks the columns"),
        (",".join(FIELDS) + "\nx,p,own,s,,sad,sad,,,,,speech,long,,\n", "row 2: column duration_s: 'long'"),
        (",".join(FIELDS) + "\nx,p,own,s,,sad,sad,,,,,speech,nan,,\n", "row 2: column duration_s"),
        (",".join(FIELDS) + "\nx,p,own,s,,,sad,,,,,speech,1,,\n", "row 2: column emotion is empty"),
        (
            ",".join(FIELDS) + "\nx,p,own,s,,sad,sad,,,,,speech,1,../../x,\n",
            "row 2: column sha256: '../../x' is no hash",
        ),
        (
            ",".join(FIELDS) + "\nx,p,own,s,,sad,sad,,,,,speech,1,00ff,/x\n",
            "row 2: column source_sha256: '/x' is no hash",
        ),
        (",".join(FIELDS) + "\nx,p\n", "row 2: column corpus is empty"),
        (",".join(FIELDS) + "\n" + "x" * 200_000 + "\n", "field larger than field limit"),
    ],
)
def test_a_manifest_that_is_none_is_refused_with_the_row_and_the_column(
    tmp_path: Path, content: str, problem: str
) -> None:
    path = tmp_path / "clips.csv"
    path.write_text(content)
    with pytest.raises(CorpusError, match=r"clips\.csv") as caught:
        read_manifest(path)
    assert problem in str(caught.value)
    assert "emogram corpus scan" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_manifest_that_cannot_be_read_or_written_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="No such file"):
        read_manifest(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorpusError, match="lacks the columns"):
        read_manifest(tmp_path / "binary.csv")
    with pytest.raises(CorpusError, match="cannot be written"):
        write_manifest(tmp_path / "no folder" / "clips.csv", CLIPS)
