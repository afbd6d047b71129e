"""Networks: spectrogram to logits, the classifier from wave to logits, and its export to one self-describing file."""
