"""How a run learns: optimisers and learning-rate schedules by name, averaged weights, losses, signs of divergence.

The settings of all of them are plain data and import no Lightning; `emogram.training.fit` puts them to work.
"""
