"""The README's picture: one sentence by one synthetic voice in six emotions. Run: make picture."""

import math
import tempfile
from pathlib import Path

import torch
from PIL import Image

from emogram import audio
from emogram.corpora import synthetic
from emogram.emotions import ordered
from emogram.evaluation.figures import Example, save, spectrogram_grid
from emogram.spectrograms import LogMelSettings

SPEAKER, SENTENCE = "synthetic-f01", "s2"
WIDTH = 1200
DB_PER_NEPER = 10 / math.log(10)


def main() -> None:
    """Write ``spectrograms.png`` beside this file."""
    settings = LogMelSettings()
    front_end = settings.build(audio.SAMPLE_RATE)
    with tempfile.TemporaryDirectory() as folder:
        clips = synthetic.render(Path(folder), speakers=2, takes=1)
        spoken = {clip.emotion: clip.path for clip in clips if (clip.speaker, clip.text) == (SPEAKER, SENTENCE)}
        examples = []
        for emotion in ordered(spoken):
            spec = front_end(torch.from_numpy(audio.load(spoken[emotion]))[None])[0, 0].numpy()
            examples.append(Example(emotion, spec * DB_PER_NEPER, settings.hop_ms / 1000, front_end.centres_hz))
        _, picture = save(spectrogram_grid(examples, columns=3), Path(folder, "spectrograms"))
        with Image.open(picture) as image:
            smaller = image.convert("RGB").resize((WIDTH, round(WIDTH * image.height / image.width)))
            smaller.save(Path(__file__).with_suffix(".png"), optimize=True)


if __name__ == "__main__":
    main()
