"""Synthetic voices: a small source-filter synthesiser, so that everything can be tried without downloading a corpus.

It shows that the pipeline works. It is no benchmark: a score on it says nothing about real speech.

Six emotions, those of CREMA-D, are spoken by women and men as in `emogram.corpora.voices`, which names the literature.
"""

import hashlib
import io
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import soundfile

from emogram.audio import SAMPLE_RATE
from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import clips_by_name
from emogram.corpora.voices import PROFILES, SENTENCES, Samples, draw_voice, speak
from emogram.errors import ConfigurationError

_STEM = re.compile(rf"([fm]\d\d)_({'|'.join(PROFILES)})_(s\d)_(t\d\d)", re.ASCII)


def render(directory: Path, *, speakers: int = 10, takes: int = 2, seed: int = 0) -> list[Clip]:
    """Synthesise the corpus as 16-bit WAV files of 16 kHz, ``f01/f01_angry_s1_t01.wav``.

    Args:
        directory: where to; made if needed.
        speakers: how many, women and men in turn; 2 to 99.
        takes: takes of each of four sentences in each of six emotions; 1 to 99.
        seed: another one gives other voices. The same gives the same samples, up to rounding between processors.

    Returns:
        clips sorted by ``clip_id``, complete with duration and hash, as `scan` gives them.

    Raises:
        ConfigurationError: a number out of its range.
    """
    if not (2 <= speakers <= 99 and 1 <= takes <= 99 and 0 <= seed < 2**32):
        values = f"speakers {speakers}, takes {takes}, seed {seed}"
        raise ConfigurationError(f"synthetic: {values}; give 2 to 99 speakers, 1 to 99 takes, a seed of 0 or more")
    clips = []
    for index in range(speakers):
        speaker = f"{'fm'[index % 2]}{index // 2 + 1:02d}"
        voice = draw_voice(np.random.default_rng([seed, index]), female=speaker.startswith("f"))
        folder = Path(directory, speaker).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        for emotion, sentence, take in product(PROFILES, SENTENCES, range(1, takes + 1)):
            stem = f"{speaker}_{emotion}_{sentence}_t{take:02d}"
            rng = np.random.default_rng([seed, *stem.encode()])
            clips.append(_write(folder / f"{stem}.wav", speak(voice, emotion, SENTENCES[sentence], rng)))
    return sorted(clips, key=lambda clip: clip.clip_id)


def _write(path: Path, wave: Samples) -> Clip:
    content = io.BytesIO()
    soundfile.write(content, np.round(wave * 32767).astype(np.int16), SAMPLE_RATE, format="WAV", subtype="PCM_16")
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content.getvalue())
    partial.replace(path)
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    return replace(_clip(path), duration_s=round(len(wave) / SAMPLE_RATE, 6), sha256=sha256)


def _clip(path: Path) -> Clip:
    speaker, emotion, sentence, take = path.stem.split("_")
    return Clip(
        clip_id=f"synthetic/{path.stem}",
        path=str(path),
        corpus="synthetic",
        speaker=f"synthetic-{speaker}",
        sex="female" if speaker[0] == "f" else "male",
        emotion=emotion,
        raw_label=emotion,
        text=sentence,
        take=take,
    )


def find(root: Path) -> list[Clip]:
    """A row for every file under a folder that `render` names so."""
    return clips_by_name(root, lambda path: _clip(path) if _STEM.fullmatch(path.stem) else None)


SYNTHETIC = Corpus(
    name="synthetic",
    title="synthetic voices, to try the pipeline with; no benchmark",
    licence="CC0-1.0",
    citation="",
    languages=(),
    labels={emotion: emotion for emotion in PROFILES},
    address="",
    example="f01/f01_angry_s1_t01.wav",
    find=find,
)
