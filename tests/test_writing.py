"""Files that are written whole or not at all."""

import threading
from pathlib import Path

import pytest

from emogram.writing import SUFFIX, whole


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with whole(path) as partial:
        partial.write_text("new")
        assert partial.parent == tmp_path
        assert partial.name.endswith(SUFFIX)
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_where_it_fails_the_old_file_stays_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    def interrupted() -> None:
        with whole(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_write_one_file_do_not_meet(tmp_path: Path) -> None:
    path, together = tmp_path / "table.csv", threading.Barrier(4)

    def write(letter: str) -> None:
        with whole(path) as partial, partial.open("w") as file:
            together.wait()
            file.write(letter * 10_000)
            together.wait()

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = path.read_text()
    assert found == found[0] * 10_000
    assert list(tmp_path.iterdir()) == [path]
