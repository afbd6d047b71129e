"""emogram: recognise emotion in speech with convolutional networks on spectrograms."""

__version__ = "0.1.0"
