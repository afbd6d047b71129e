"""Training: configuration, cached audio, reproducible batches, the fit, and the run folder that it leaves."""
