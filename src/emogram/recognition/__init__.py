"""Recognition: one self-describing model file, a recogniser that runs it, and what it answers. Needs no torch."""

from emogram.recognition.model_file import ModelFile, ModelInfo, read_model
from emogram.recognition.recognizer import Prediction, Recognizer, load

__all__ = ["ModelFile", "ModelInfo", "Prediction", "Recognizer", "load", "read_model"]
