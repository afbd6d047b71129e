"""The model `large` of emogram. It is found by name: ``emogram.load("large")``."""
