"""emogram: recognise emotion in speech with convolutional networks on spectrograms.

>>> import emogram
>>> recognizer = emogram.load("model.onnx")  # doctest: +SKIP
>>> print(recognizer.predict("clip.wav"))  # doctest: +SKIP
clip.wav: happy 87% (surprised 8%, neutral 3%)

Importing this package imports nothing else: each name below brings its module when it is first used.
"""

import importlib

TYPE_CHECKING = False  # as type checkers read it; importing typing would be most of what importing emogram costs

if TYPE_CHECKING:
    from emogram.audio import load as load_audio
    from emogram.emotions import EMOTIONS
    from emogram.errors import AudioError, ConfigurationError, EmogramError, ModelError
    from emogram.recognition.checks import InputWarning
    from emogram.recognition.explanation import Explanation
    from emogram.recognition.model_file import ModelInfo
    from emogram.recognition.recognizer import Recognizer, load
    from emogram.recognition.results import Moment, Prediction
    from emogram.recognition.stream import Stream
    from emogram.recognition.timeline import Timeline
    from emogram.recognition.timeline_segments import Segment

__version__ = "0.1.0"

__all__ = [
    "EMOTIONS",
    "AudioError",
    "ConfigurationError",
    "EmogramError",
    "Explanation",
    "InputWarning",
    "ModelError",
    "ModelInfo",
    "Moment",
    "Prediction",
    "Recognizer",
    "Segment",
    "Stream",
    "Timeline",
    "__version__",
    "load",
    "load_audio",
]

_HOMES = {
    "EMOTIONS": ("emogram.emotions", "EMOTIONS"),
    "AudioError": ("emogram.errors", "AudioError"),
    "ConfigurationError": ("emogram.errors", "ConfigurationError"),
    "EmogramError": ("emogram.errors", "EmogramError"),
    "ModelError": ("emogram.errors", "ModelError"),
    "Explanation": ("emogram.recognition.explanation", "Explanation"),
    "ModelInfo": ("emogram.recognition.model_file", "ModelInfo"),
    "InputWarning": ("emogram.recognition.checks", "InputWarning"),
    "Moment": ("emogram.recognition.results", "Moment"),
    "Prediction": ("emogram.recognition.results", "Prediction"),
    "Segment": ("emogram.recognition.timeline_segments", "Segment"),
    "Stream": ("emogram.recognition.stream", "Stream"),
    "Timeline": ("emogram.recognition.timeline", "Timeline"),
    "Recognizer": ("emogram.recognition.recognizer", "Recognizer"),
    "load": ("emogram.recognition.recognizer", "load"),
    "load_audio": ("emogram.audio", "load"),
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'emogram' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value: object = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
