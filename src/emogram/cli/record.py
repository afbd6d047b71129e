"""`emogram record`: say something with an emotion, and see whether it is recognised."""

import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from emogram.cli.options import MicrophoneOption, ModelOption, microphone_of
from emogram.cli.typed import names_in
from emogram.errors import ConfigurationError

if TYPE_CHECKING:
    from emogram.audio import Wave
    from emogram.recognition import Recognizer
    from emogram.recognition.microphone import Microphone
    from emogram.recognition.recordings import Recordings

_CLICK_S = 0.2
"""What is heard first is the key that started it."""

_LOWEST_DB = -60.0
_BAR = 30

Emotions = Annotated[
    list[str] | None,
    typer.Option("--emotion", "-e", metavar="NAME", help="What to express; several with commas. All when left out."),
]
Speaker = Annotated[str | None, typer.Option("--speaker", "-s", help="Who speaks.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to keep the recordings in.")]
Seconds = Annotated[
    float | None, typer.Option("--seconds", help="Length; that of the clips the model learnt from when left out.")
]
Files = Annotated[
    list[Path] | None,
    typer.Option("--from", metavar="FILE", help="Take a recording that is there already; may be repeated."),
]


class _Take(NamedTuple):
    """A recording with the emotion that was meant."""

    intended: str
    wave: "Wave"
    sample_rate: int


def register(application: typer.Typer) -> None:
    """Add `record` to the application."""
    application.command()(record)


def record(  # noqa: PLR0917 - the words of a command line
    emotion: Emotions = None,
    speaker: Speaker = None,
    output: Output = Path("recordings"),
    seconds: Seconds = None,
    files: Files = None,
    model: ModelOption = None,
    device: MicrophoneOption = None,
) -> None:
    """Record how you express emotions, and see whether they are recognised.

    Asks for one emotion after the other, records, recognises, and keeps the recording with both emotions. The folder is
    a corpus: the commands evaluate, train and study read it as folder=DIR, or as csv=DIR/recordings.csv. The sound stays
    on this machine.

    Examples:
        emogram record --speaker anna

        emogram record --emotion angry,happy,sad --speaker anna -o mine --seconds 3

        emogram record --from take-1.wav --from take-2.wav --emotion angry --speaker anna -o mine

        emogram evaluate model.onnx --corpus folder=mine

        emogram adapt mine -o mine.onnx
    """
    if seconds is not None and not 0.5 <= seconds <= 60:
        raise ConfigurationError(f"--seconds: {seconds:g} is not between 0.5 and 60")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from emogram.recognition import load
    from emogram.recognition.recordings import Recordings, check_speaker

    recognizer = load(model)
    check_speaker(speaker)
    wanted = _wanted(names_in(emotion), recognizer)
    recordings = Recordings(output)
    length_s = seconds or recognizer.info.clip_s
    takes = _decoded(files, wanted) if files else _spoken(wanted or recognizer.emotions, length_s, device)
    kept = [_keep(recognizer, recordings, take, speaker) for take in takes]
    _sum_up(recordings)
    if files and not all(kept):
        raise typer.Exit(1)


def _wanted(names: Sequence[str], recognizer: "Recognizer") -> list[str]:
    """The emotions to express; one that the model cannot recognise is told of, and kept."""
    from emogram.recognition.recordings import check_emotion

    wanted = [check_emotion(name, recognizer.emotions) for name in names]
    for strange in sorted(set(wanted) - set(recognizer.emotions)):
        typer.echo(f"note: {recognizer.info.name} was never taught {strange}, and cannot recognise it", err=True)
    return wanted


def _decoded(files: Sequence[Path], emotions: Sequence[str]) -> Iterator[_Take]:
    """Each file with the emotion that was meant, at its own sample rate."""
    from emogram import audio

    if len(emotions) not in {1, len(files)}:
        remedy = "name one for all files, or one for each" if emotions else "say what was meant, for example angry"
        raise ConfigurationError(f"--emotion: {len(emotions)} for {len(files)} files; {remedy}")
    rates = [audio.probe(file).rate for file in files]
    meant = list(emotions) * len(files) if len(emotions) == 1 else emotions
    return (
        _Take(one, audio.load(file, rate, allow_silent=True), rate)
        for one, file, rate in zip(meant, files, rates, strict=False)
    )


def _spoken(emotions: Sequence[str], seconds: float, device: str | None) -> Iterator[_Take]:
    """Ask for one emotion after the other, until the person has had enough."""
    from emogram.recognition.microphone import Microphone

    chosen = microphone_of(device)
    with Microphone(chosen):  # to know early that there is one
        typer.echo(f"Recordings of {seconds:g} s. What you say stays on this machine.", err=True)
    for emotion in emotions:
        typer.echo(f"\nSay something {emotion}. Enter records, s skips, q stops: ", err=True, nl=False)
        answer = sys.stdin.readline()
        if not answer or answer.strip().lower() == "q":
            return
        if answer.strip().lower() == "s":
            continue
        with Microphone(chosen) as microphone:
            yield _Take(emotion, _listen(microphone, seconds), microphone.sample_rate)


def _listen(microphone: "Microphone", seconds: float) -> "Wave":
    import numpy as np

    blocks: list[Wave] = []
    samples, skip = round(seconds * microphone.sample_rate), round(_CLICK_S * microphone.sample_rate)
    heard = 0
    for block in microphone:
        heard += len(block)
        blocks.append(block)
        _show_level(block, heard / microphone.sample_rate - _CLICK_S, seconds)
        if heard >= samples + skip:
            break
    if sys.stderr.isatty():
        typer.echo("\r\x1b[2K", err=True, nl=False)
    return np.concatenate(blocks)[skip : skip + samples]


def _show_level(block: "Wave", at_s: float, seconds: float) -> None:
    """The level of the last block as a bar, where a person looks."""
    import numpy as np

    if not sys.stderr.isatty():
        return
    level_db = 10 * math.log10(max(float(np.mean(np.square(block, dtype=np.float64))), 1e-12))
    filled = round(_BAR * min(1.0, max(0.0, 1 - level_db / _LOWEST_DB)))
    full = "█" if "utf" in (sys.stderr.encoding or "").lower() else "#"
    shown = f"{max(0.0, seconds - at_s):4.1f} s left  {full * filled:<{_BAR}} {level_db:4.0f} dB"
    typer.echo(f"\r\x1b[2K{shown}", err=True, nl=False)


def _keep(recognizer: "Recognizer", recordings: "Recordings", take: _Take, speaker: str | None) -> bool:
    """Recognise a recording, keep it and say so; one that cannot be used is not kept, and False."""
    from emogram.errors import AudioError

    try:
        prediction = recognizer.predict(take.wave, array_rate=take.sample_rate)
    except AudioError as error:
        typer.echo(f"{take.intended}: not kept, the recording {error.problem}; {error.remedy}", err=True)
        return False
    if not prediction.has_speech:
        typer.echo(f"{take.intended}: not kept, nobody was heard to speak; come nearer to the microphone", err=True)
        return False
    kept = recordings.add(take.wave, take.sample_rate, intended=take.intended, prediction=prediction, speaker=speaker)
    words = str(prediction).partition(": ")[2]
    typer.echo(f"{take.intended}: {'agrees' if kept.agrees else 'differs'}, {words}  {recordings.folder / kept.path}")
    return True


def _sum_up(recordings: "Recordings") -> None:
    """The agreement so far, with the interval of Wilson, and which emotion was taken for which."""
    agreeing, total = recordings.agreement()
    if not total:
        typer.echo("no recordings yet")
        return
    low, high = _interval(agreeing, total)
    typer.echo(f"\n{agreeing} of {total} agree, {agreeing / total:.0%} (95 % interval {low:.0%} to {high:.0%})\n")
    for line in _matrix(recordings.tally()):
        typer.echo(line)


def _interval(agreeing: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, which holds for few recordings too."""
    z = 1.96
    middle = (agreeing + z * z / 2) / (total + z * z)
    half = z / (total + z * z) * math.sqrt(agreeing * (total - agreeing) / total + z * z / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def _matrix(tally: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """What was meant in rows, what was recognised in columns."""
    from emogram.emotions import ordered

    columns = ordered([*tally, *(predicted for counts in tally.values() for predicted in counts)])
    corner = "meant \\ recognised"
    width = max(map(len, (corner, *tally)))
    yield "  ".join([f"{corner:{width}}", *columns, "agree"])
    for emotion, counts in tally.items():
        cells = [f"{counts.get(name, 0) or '.':>{len(name)}}" for name in columns]
        yield "  ".join([f"{emotion:{width}}", *cells, f"{counts.get(emotion, 0) / sum(counts.values()):>5.0%}"])
