import stat
import zipfile
from pathlib import Path

import pytest

from emogram.corpora.archives import free_bytes, unpack
from emogram.errors import CorpusError


def make(path: Path, entries: dict[str, bytes], *, mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


def left(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_files_and_folders_are_unpacked(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", {"Actor_01/": b"", "Actor_01/x.wav": b"abc", "readme.txt": b"x" * 3_000_000})
    unpack(archive, tmp_path / "deep" / "out")
    assert (tmp_path / "deep/out/Actor_01/x.wav").read_bytes() == b"abc"
    assert (tmp_path / "deep/out/readme.txt").stat().st_size == 3_000_000
    assert left(tmp_path / "deep") == ["out"]


@pytest.mark.parametrize(
    "name", ["../evil.wav", "a/../../evil.wav", "/tmp/evil.wav", "C:/evil.wav", "C:evil.wav", "..\\evil.wav", "//x/y/z"]
)
def test_an_entry_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    archive = make(tmp_path / "a.zip", {"good.wav": b"abc", name: b"evil"})
    with pytest.raises(CorpusError, match="leads out of the folder"):
        unpack(archive, tmp_path / "out")
    assert left(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    archive = make(tmp_path / "a.zip", {"link": b"/etc"}, mode=kind | 0o777)
    with pytest.raises(CorpusError, match="'link' is no file but a link or device"):
        unpack(archive, tmp_path / "out")
    assert left(tmp_path) == ["a.zip"]


def test_a_bomb_is_refused_by_what_it_states(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", {"zeros": bytes(1_000_000)})
    assert archive.stat().st_size < 2_000
    with pytest.raises(CorpusError, match="unpacks to more than 999999 bytes"):
        unpack(archive, tmp_path / "out", max_bytes=999_999)
    with pytest.raises(CorpusError, match="has 1 entries, more than 0"):
        unpack(archive, tmp_path / "out", max_files=0)
    assert left(tmp_path) == ["a.zip"]


def test_a_bomb_that_lies_about_its_size_ends_at_the_size_it_states(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", {"zeros": bytes(1_000_000)})
    content = archive.read_bytes()
    archive.write_bytes(content.replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(CorpusError, match="Bad CRC"):
        unpack(archive, tmp_path / "out")
    assert left(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("damage", ["nothing", "cut", "flip", "no zip", "empty"])
def test_a_damaged_archive_leaves_nothing(tmp_path: Path, damage: str) -> None:
    archive = make(tmp_path / "a.zip", {"x.wav": bytes(range(256)) * 40})
    content = bytearray(archive.read_bytes())
    content[60] ^= 255 if damage == "flip" else 0
    archive.write_bytes({"cut": bytes(content[:-30]), "no zip": b"<html>", "empty": b""}.get(damage, bytes(content)))
    if damage == "nothing":
        unpack(archive, tmp_path / "out")
        return
    with pytest.raises(CorpusError, match=r"a\.zip: is no zip file that can be read"):
        unpack(archive, tmp_path / "out")
    assert left(tmp_path) == ["a.zip"]


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", {"x.wav": b"abc"})
    content = bytearray(archive.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(CorpusError, match="encrypted"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("names", [("x", "x/y"), ("x/y", "x"), ("x" * 300,)])
def test_names_that_the_disk_cannot_hold_are_an_error(tmp_path: Path, names: tuple[str, ...]) -> None:
    archive = make(tmp_path / "a.zip", dict.fromkeys(names, b"abc"))
    with pytest.raises(CorpusError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "out")
    assert left(tmp_path) == ["a.zip"]


def test_free_space_is_known_for_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") > 0
