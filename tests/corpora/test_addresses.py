import re
from urllib.parse import urlsplit

from emogram.corpora import CORPORA
from emogram.corpora.addresses import ARCHIVES, STEPS


def test_archives_are_fetched_encrypted_from_the_official_hosts() -> None:
    urls = [urlsplit(archive.url) for archives in ARCHIVES.values() for archive in archives]
    assert {url.scheme for url in urls} == {"https"}
    assert {url.netloc for url in urls} == {"zenodo.org", "borealisdata.ca"}


def test_every_archive_but_the_one_packed_anew_each_time_has_a_checksum_and_a_size() -> None:
    for name, archives in ARCHIVES.items():
        for archive in archives:
            assert (archive.checksum is None) == (archive.size_bytes == 0) == (name == "tess")
            assert archive.checksum is None or re.fullmatch(r"md5:[0-9a-f]{32}", archive.checksum)


def test_archives_of_one_corpus_go_into_folders_of_their_own() -> None:
    for archives in ARCHIVES.values():
        assert len({archive.folder for archive in archives}) == len(archives)


def test_the_parts_of_ravdess_are_all_of_it() -> None:
    assert ARCHIVES["ravdess"] == ARCHIVES["ravdess-speech"] + ARCHIVES["ravdess-song"]


def test_every_step_list_is_for_a_corpus_and_ends_in_a_command() -> None:
    assert set(STEPS) < set(CORPORA)
    assert all("emogram corpus" in steps[-1] for steps in STEPS.values())
