"""The picture of docs/explanation.md: an answer of the demo's model, explained. Run: python docs/images/explanation.py emogram-demo."""

import sys
from pathlib import Path

from PIL import Image

from emogram import audio
from emogram.evaluation.explained import draw
from emogram.evaluation.style import write
from emogram.recognition import load

CLIP = "voices/f01/f01_angry_s1_t02.wav"
WIDTH = 1100


def main(demo: Path) -> None:
    """Write ``explanation.png`` beside this file, from the folder that `emogram demo` made."""
    recognizer = load(demo / "run" / "model.onnx")
    rate = recognizer.info.sample_rate
    explanation = recognizer.explain(demo / CLIP, workers=1)
    target = Path(__file__).with_suffix(".png")
    write(draw(explanation, audio.load(demo / CLIP, rate), rate, title="synthetic voice"), target)
    with Image.open(target) as image:
        smaller = image.convert("RGB").resize((WIDTH, round(WIDTH * image.height / image.width)))
    smaller.save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
