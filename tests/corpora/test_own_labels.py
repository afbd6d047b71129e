import pytest

from emogram.corpora.own_labels import SYNONYMS, label_table
from emogram.emotions import EMOTIONS
from emogram.errors import ConfigurationError


def test_synonyms_are_lower_case_words_for_canonical_emotions() -> None:
    assert set(SYNONYMS.values()) == set(EMOTIONS)
    assert all(word == word.strip().lower() for word in SYNONYMS)
    assert all(SYNONYMS[emotion] == emotion for emotion in EMOTIONS)


def test_a_map_adds_and_overrides_whatever_its_case() -> None:
    table = label_table({" Wut ": "Angry", "joy": "calm"})
    assert table["wut"] == "angry"
    assert table["joy"] == "calm"
    assert table["sadness"] == "sad"


def test_a_new_emotion_has_to_be_mapped_to_itself_too() -> None:
    assert label_table({"smug": "contempt", "contempt": "contempt"})["smug"] == "contempt"
    with pytest.raises(ConfigurationError, match="'smug' is mapped to 'contempt', which is no emotion here"):
        label_table({"smug": "contempt"})
