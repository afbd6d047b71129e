from collections.abc import Callable
from pathlib import Path

import pytest

from emogram.corpora import check, scan
from emogram.errors import CorpusError

Record = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path, record: Record) -> Callable[..., Path]:
    """Writes a table beside two recordings, a.wav and b.wav."""
    record("a.wav")
    record("b.wav")

    def write(content: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "My calls.csv"
        path.write_bytes(content.encode(encoding))
        return path

    return write


def test_all_columns_are_taken_in_any_order(table: Callable[..., Path]) -> None:
    path = table("sex,emotion,path,speaker,age,text,take,intensity,kind\nF,Joy,a.wav,anna b,33,hi,2,loud,song\n")
    (clip,) = scan("csv", path)
    assert (clip.clip_id, clip.corpus, clip.speaker, clip.sex) == (
        "my-calls/a",
        "my-calls",
        "my-calls-anna_b",
        "female",
    )
    assert (clip.emotion, clip.raw_label, clip.age, clip.text) == ("happy", "Joy", "33", "hi")
    assert (clip.take, clip.intensity, clip.kind) == ("2", "loud", "song")
    assert clip.duration_s == 0.05
    assert len(clip.sha256) == 64


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_separators_and_byte_order_marks_of_spreadsheets_are_read(
    table: Callable[..., Path], separator: str, encoding: str
) -> None:
    content = 'Path,Emotion,note\r\na.wav,sad,x\r\n\r\n"b.wav",angry,y\r\n'.replace(",", separator)
    assert [clip.emotion for clip in scan("csv", table(content, encoding))] == ["sad", "angry"]


def test_absolute_paths_are_taken(table: Callable[..., Path], tmp_path: Path) -> None:
    (clip,) = scan("csv", table(f"path,emotion\n{tmp_path}/a.wav,sad\n"))
    assert clip.clip_id == "my-calls/a"


def test_a_label_map_reads_other_labels(table: Callable[..., Path]) -> None:
    (clip,) = scan("csv", table("path,emotion\na.wav,3\n"), labels={"3": "fearful"})
    assert (clip.raw_label, clip.emotion) == ("3", "fearful")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("path,emotion\na.wav,sad\nb.wav,angri\n", "row 3, column emotion: 'angri' is no known emotion"),
        ("path,emotion\na.wav,\n", "row 2, column emotion: it is empty"),
        ("path,emotion\nc.wav,sad\n", "row 2, column path: no file 'c.wav'; give it relative to"),
        ("path,emotion\n,sad\n", "row 2, column path: it is empty"),
        ("path,emotion\n.,sad\n", "row 2, column path: no file '.'"),
        ("path,emotion\na\0.wav,sad\n", "row 2, column path: no file 'a\\x00.wav'"),
        (f"path,emotion\n{'a' * 5000}.wav,sad\n", "row 2, column path: no file 'aaa"),
        ("path,emotion\na.wav,sad\n./a.wav,sad\n", "row 3, column path: the same clip as row 2"),
        ("path,emotion,sex\na.wav,sad,x\n", "row 2, column sex: 'x' is not female, male or empty"),
        ("path,emotion,kind\na.wav,sad,rap\n", "row 2, column kind: 'rap' is not speech, song or empty"),
        ("path,emotion\na.wav,sad,what\n", "row 2, column emotion: 3 cells for 2 columns"),
        ("path,emotion,speaker\na.wav\n", "row 2, column path: 1 cells for 3 columns"),
        ("file,emotion\na.wav,sad\n", "the column 'path' is missing (its columns are file, emotion)"),
        ("", "the column 'path' is missing (it has no columns)"),
        ('path,emotion\n"a.wav,sad\n', "cannot be read as CSV (unexpected end of data)"),
        ("path,emotion\n" + "a" * 200_000 + ",sad\n", "cannot be read as CSV (field larger than field limit"),
    ],
)
def test_a_bad_row_is_an_error_with_the_row_and_the_column(
    table: Callable[..., Path], content: str, problem: str
) -> None:
    path = table(content)
    with pytest.raises(CorpusError) as caught:
        scan("csv", path)
    assert str(caught.value).startswith(f"{path}: {problem}")
    assert "\n" not in str(caught.value)


def test_no_table_at_all_says_what_to_do(tmp_path: Path, table: Callable[..., Path]) -> None:
    with pytest.raises(CorpusError, match="is a folder, not a table; give the CSV file"):
        scan("csv", tmp_path)
    with pytest.raises(CorpusError, match="No such file"):
        scan("csv", tmp_path / "none.csv")
    with pytest.raises(CorpusError, match="save it as UTF-8"):
        scan("csv", table("path,emotion\nä.wav,sad\n", "utf-16"))


def test_check_knows_nothing_extra_beside_a_table(table: Callable[..., Path]) -> None:
    report = check("csv", table("path,emotion,speaker\na.wav,sad,anna\n"))
    assert (report.clips, report.speakers, report.extra, report.complete) == (1, 1, [], True)
