"""Augmentation of the training part, on the fly: parameters are drawn apart from being applied.

Every draw takes a generator that the caller derives from seed, epoch and clip, so that a run that was stopped and
continued sees what an undisturbed run sees. Validation and test clips are never augmented.
"""
