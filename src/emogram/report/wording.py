"""The sentences of a report that depend on its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from emogram.evaluation.metrics import Predictions
from emogram.evaluation.statistics import Estimates
from emogram.report.results import GroupRow, shown
from emogram.splits import Split

SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Notice:
    """A remark at the top: `tone` is ``good``, ``warn`` or ``bad``."""

    tone: str
    title: str
    text: str


def notices(corpora: Sequence[str], splits: Sequence[Split]) -> list[Notice]:
    """What a reader must know before the first number."""
    found = []
    if SYNTHETIC in corpora:
        found.append(
            Notice(
                "warn",
                "Synthetic voices: no benchmark",
                "These voices were computed, not recorded. The result shows that the pipeline works; it says nothing "
                "about how well emotion in human speech is recognised.",
            )
        )
    heard = _heard(splits)
    if heard is None:
        found.append(
            Notice(
                "warn",
                "Speakers unknown",
                "Nobody can tell from these files who of the test part was heard in training.",
            )
        )
    elif not heard:
        found.append(
            Notice("good", "Tested on unheard speakers", "No speaker of the test part is in training or validation.")
        )
    else:
        found.append(
            Notice(
                "bad",
                "Tested on speakers heard in training",
                "The network may have recognised the voice instead of the emotion; on strangers expect far lower "
                "scores. Use a speaker-disjoint split for a number to rely on.",
            )
        )
    return found


def headline(predictions: Predictions, splits: Sequence[Split]) -> str:
    """The result in a sentence."""
    right, clips = int((predictions.predicted == predictions.truth).sum()), len(predictions)
    known = {speaker for speaker in predictions.speakers if speaker}
    heard = {None: "", False: ", none of whom it had heard before,", True: ", some of whom it had heard before,"}
    voices = f" by {len(known)} speaker{'s' if len(known) > 1 else ''}{heard[_heard(splits)]}" if known else ""
    return (
        f"Of {clips} test clips{voices} it named the emotion of {right} rightly. "
        f"Guessing would get one in {len(predictions.emotions)}."
    )


def interval_note(estimates: Estimates) -> str:
    """How to read the intervals, or why there are none."""
    if estimates.metrics["accuracy"].low is None:
        return f"{_sentence(estimates.note)} The scores carry chance that this page cannot measure."
    note = (
        f"Ranges are 95 % intervals, bootstrapped over the {estimates.n_speakers} speakers: where the score would likely "
        "lie had others been recorded in the same way. They do not cover other microphones, languages or spontaneous speech."
    )
    return f"{note} {_sentence(estimates.note)}" if estimates.note else note


def speakers_note(rows: Sequence[GroupRow]) -> str:
    """How far apart speakers lie."""
    if len(rows) < 2:
        return "One speaker only: nothing can be said about how the score varies from voice to voice."
    low, high = rows[0], rows[-1]
    return (
        f"Accuracy goes from {shown(low.accuracy.value, True)} ({low.name}) to {shown(high.accuracy.value, True)} "
        f"({high.name}). With few clips a speaker, much of that is chance."
    )


def calibration_note(estimates: Estimates, temperature: object) -> str:
    """How to read the reliability diagram."""
    note = (
        "On the dashed line a network that says 70 % is right in 70 % of such clips; below it, it is too sure. "
        f"The expected calibration error is {shown(estimates.metrics['ece'].value, True)}."
    )
    if isinstance(temperature, int | float) and not isinstance(temperature, bool):
        note += f" Probabilities were divided by a temperature of {temperature:.2f} that was fitted on validation."
    return note


def audit_note(splits: Sequence[Split]) -> str:
    """What the audit looked for."""
    looked = "No identical audio and no augmented copy lies in two parts"
    return (
        f"{looked}, and no speaker either." if not any(split.validation_by_clip for split in splits) else f"{looked}."
    )


def _heard(splits: Sequence[Split]) -> bool | None:
    """Whether a speaker of a test part is in training or validation; None where speakers are unknown."""
    clips = [clip for split in splits for part in split.parts().values() for clip in part]
    if not clips or not all(clip.speaker for clip in clips):
        return None
    return not all(split.speaker_disjoint for split in splits)


def _sentence(phrase: str) -> str:
    return f"{phrase[:1].upper()}{phrase[1:]}." if phrase else ""
