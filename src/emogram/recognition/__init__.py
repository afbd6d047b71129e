"""Recognition: one self-describing model file, a recogniser that runs it, and what it answers. Needs no torch."""

from emogram.recognition.checks import InputWarning, Problem
from emogram.recognition.explanation import Explanation
from emogram.recognition.model_file import ModelFile, ModelInfo, read_model
from emogram.recognition.recognizer import Recognizer, load
from emogram.recognition.results import Moment, Prediction
from emogram.recognition.stream import Stream
from emogram.recognition.timeline import Timeline
from emogram.recognition.timeline_segments import Segment

__all__ = [
    "Explanation",
    "InputWarning",
    "ModelFile",
    "ModelInfo",
    "Moment",
    "Prediction",
    "Problem",
    "Recognizer",
    "Segment",
    "Stream",
    "Timeline",
    "load",
    "read_model",
]
