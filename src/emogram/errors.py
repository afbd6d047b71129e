"""The one exception tree: every error that a user can cause is an `EmogramError` with a one-line message."""

import difflib
from collections.abc import Iterable
from typing import Self


def did_you_mean(given: str, choices: Iterable[str]) -> str:
    """The end of a message about a mistyped name: ``, did you mean 'x'?``, or nothing where no choice is near."""
    near = difflib.get_close_matches(given.lower(), list(choices), n=1, cutoff=0.5)
    return f", did you mean {near[0]!r}?" if near else ""


class EmogramError(Exception):
    """Anything that emogram refuses or cannot do. Its message names the file or field and the remedy, in one line."""


class AudioError(EmogramError):
    """A recording that cannot be used: unreadable, empty, silent, too long.

    Args:
        source: the file's path, or a description such as ``<bytes>``.
        problem: what is wrong, a phrase without a full stop.
        remedy: what the user can do about it.
    """

    def __init__(self, source: str, problem: str, remedy: str) -> None:
        super().__init__(f"{source}: {problem}; {remedy}")
        self.source = source
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, str]]:
        # An exception is copied from its message unless it says otherwise; errors travel between processes.
        return type(self), (self.source, self.problem, self.remedy)


class TooLongError(AudioError):
    """A recording longer than is allowed; the remedy is that of who calls `emogram.audio`, others may know a better one."""


class ConfigurationError(EmogramError):
    """A setting, option or argument with a value that it cannot have. Names the field, the value and the choices."""


class CorpusError(EmogramError):
    """A corpus, manifest or label table that is not what its name says."""


class SplitError(EmogramError):
    """A split that cannot be made. Says why and what can be made instead."""


class LeakError(SplitError):
    """A split in which the test part is not independent of the training part."""


class ModelError(EmogramError):
    """A model file or checkpoint that is damaged, foreign or does not fit."""


class TrainingError(EmogramError):
    """A training run that cannot go on: diverged, no data, a run folder of another configuration."""


class MissingExtraError(EmogramError):
    """A feature whose optional dependencies are not installed.

    Args:
        feature: what the user asked for.
        extra: the extra that brings it, for example ``train``.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra [{extra}]; install it with: pip install 'emogram[{extra}]'")
        self.feature = feature
        self.extra = extra

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (self.feature, self.extra)
