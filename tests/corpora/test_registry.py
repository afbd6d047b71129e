"""What holds for every registered corpus."""

from pathlib import Path

import pytest

from emogram.corpora import CORPORA, Corpus, check, files, get
from emogram.corpora.addresses import ARCHIVES, STEPS
from emogram.emotions import EMOTIONS, ordered
from emogram.errors import ConfigurationError

EXPECTED = {
    "ravdess": 2452,
    "ravdess-speech": 1440,
    "ravdess-song": 1012,
    "tess": 2800,
    "cremad": 7442,
    "savee": 480,
    "emodb": 535,
    "kaggle": 12162,
    "folder": 0,
    "csv": 0,
    "synthetic": 0,
}
OFFICIAL = [corpus for corpus in CORPORA.values() if corpus.n_clips]


def test_all_corpora_have_their_official_number_of_clips() -> None:
    assert {name: corpus.n_clips for name, corpus in CORPORA.items()} == EXPECTED


@pytest.mark.parametrize("corpus", CORPORA.values(), ids=CORPORA)
def test_labels_lead_to_canonical_emotions_in_canonical_order(corpus: Corpus) -> None:
    assert set(corpus.labels.values()) <= set(EMOTIONS)
    assert corpus.emotions == ordered(corpus.labels.values())
    assert len(corpus.emotions) >= 6


@pytest.mark.parametrize("corpus", CORPORA.values(), ids=CORPORA)
def test_every_corpus_says_what_it_is_and_how_to_get_it(corpus: Corpus) -> None:
    assert corpus.title
    assert corpus.licence
    assert corpus.example
    assert corpus.name == "synthetic" or (corpus.name in ARCHIVES) != (corpus.name in STEPS)
    assert not corpus.n_clips or (corpus.citation and corpus.languages and corpus.address)


@pytest.mark.parametrize("corpus", OFFICIAL, ids=[corpus.name for corpus in OFFICIAL])
def test_every_official_name_is_recognised_as_itself(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    official = corpus.official((corpus.kind,) if corpus.kind else ())
    monkeypatch.setattr(files, "audio_files", lambda root: [root / f"{clip_id}.flac" for clip_id in official])
    clips = corpus.find(Path("/nowhere"))
    assert [clip.clip_id for clip in clips] == sorted(official)
    assert {clip.emotion for clip in clips} == set(corpus.emotions)
    assert all(clip.emotion == corpus.labels[clip.raw_label] for clip in clips)
    assert all(clip.clip_id.startswith(f"{clip.corpus}/") for clip in clips)
    assert all(clip.speaker.startswith(f"{clip.corpus}-") for clip in clips)


@pytest.mark.parametrize("corpus", OFFICIAL, ids=[corpus.name for corpus in OFFICIAL])
def test_an_empty_folder_misses_everything(corpus: Corpus, tmp_path: Path) -> None:
    report = check(corpus.name, tmp_path)
    assert len(report.missing) == report.official == EXPECTED[corpus.name]
    assert not report.complete


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("ravdes", "ravdess"), ("RAVDESS", "ravdess"), ("crema-d", "cremad"), ("emo-db", "emodb"), ("tes", "tess")],
)
def test_a_mistyped_name_suggests_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"did you mean '{meant}'"):
        get(typed)


def test_a_name_like_none_lists_all() -> None:
    with pytest.raises(ConfigurationError, match="'zzz' is not known; choose from ravdess, ravdess-speech"):
        get("zzz")
