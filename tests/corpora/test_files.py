import os
from collections.abc import Callable
from pathlib import Path

import pytest

from emogram.corpora.files import audio_files
from emogram.errors import CorpusError

Touch = Callable[[str], Path]


def names(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in audio_files(root)]


def test_audio_is_found_at_any_depth_shallow_first_whatever_its_suffix(tmp_path: Path, touch: Touch) -> None:
    for name in ("b/deep/er/x.WAV", "b/a.flac", "a/z.ogg", "top.Mp3", "a/notes.txt", "a/cover.jpg", "a/z.wav.bak"):
        touch(name)
    assert names(tmp_path) == ["top.Mp3", "a/z.ogg", "b/a.flac", "b/deep/er/x.WAV"]


def test_what_systems_leave_behind_is_passed_over(tmp_path: Path, touch: Touch) -> None:
    for name in ("Thumbs.db", ".DS_Store", "__MACOSX/a/b.wav", "a/._b.wav", ".git/b.wav", "a/b.wav", "desktop.ini"):
        touch(name)
    assert names(tmp_path) == ["a/b.wav"]


def test_link_loops_end_and_linked_folders_are_followed_once(tmp_path: Path, touch: Touch) -> None:
    touch("z/a.wav")
    (tmp_path / "z" / "up").symlink_to(tmp_path)
    (tmp_path / "z" / "self").symlink_to(tmp_path / "z")
    (tmp_path / "a-link").symlink_to(tmp_path / "z")
    (tmp_path / "broken.wav").symlink_to(tmp_path / "nowhere.wav")
    assert names(tmp_path) == ["z/a.wav"]


def test_a_folder_outside_is_reached_through_a_link(tmp_path: Path, touch: Touch) -> None:
    touch("elsewhere/a.wav")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "actor").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "root") == ["actor/a.wav"]


def test_a_pipe_is_no_audio(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert names(tmp_path) == []


def test_a_path_that_is_no_folder_says_what_to_do(tmp_path: Path, touch: Touch) -> None:
    with pytest.raises(CorpusError, match="no such folder; give the folder"):
        audio_files(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="is not a folder; unpack it"):
        audio_files(touch("corpus.zip"))


def test_a_relative_folder_gives_absolute_paths(tmp_path: Path, touch: Touch, monkeypatch: pytest.MonkeyPatch) -> None:
    touch("a/b.wav")
    monkeypatch.chdir(tmp_path)
    assert audio_files(Path("a")) == [tmp_path / "a" / "b.wav"]
