"""`emogram listen`: the microphone, or a file as if it were one, as a live bar of probabilities."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from emogram.cli.options import MicrophoneOption, ModelOption, microphone_of
from emogram.errors import ConfigurationError

if TYPE_CHECKING:
    from emogram.audio import Wave
    from emogram.recognition import Moment, Recognizer

_Show: TypeAlias = "Callable[[Moment, float], None]"

_BLOCK_S = 0.05
_BAR = 30


class LiveFormat(StrEnum):
    """How moments are shown."""

    BAR = "bar"
    JSON = "json"


def register(application: typer.Typer) -> None:
    """Add `listen` to the application."""
    application.command()(listen)


def listen(
    model: ModelOption = None,
    device: MicrophoneOption = None,
    recording: Annotated[
        Path | None, typer.Option("--input", "-i", metavar="FILE", help="Play a file instead of the microphone.")
    ] = None,
    *,
    fast: Annotated[bool, typer.Option("--fast", help="Play the file as fast as it can be heard.")] = False,
    hop_s: Annotated[float, typer.Option("--hop", help="Seconds from one answer to the next.")] = 0.5,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Stop after so many seconds of sound.")] = None,
    output: Annotated[
        LiveFormat, typer.Option("--format", "-f", help="A bar, or a line of JSON an answer.")
    ] = LiveFormat.BAR,
) -> None:
    """Recognise the emotion of what is said, while it is said. Stop with Ctrl-C.

    The first answer comes when one window has been heard, as long as the clips that the model was trained on.

    Examples:
        emogram listen

        emogram listen --input call.wav --fast --format json
    """
    if fast and recording is None:
        raise ConfigurationError("--fast: only a file can be played faster; name one with --input FILE")
    if seconds is not None and seconds <= 0:
        raise ConfigurationError(f"--seconds: {seconds:g} is not above 0")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from emogram.recognition import load

    recognizer = load(model)
    show = _Bars(recognizer.emotions) if output is LiveFormat.BAR else _show_json
    if recording is not None:
        rate = recognizer.info.sample_rate
        _follow(recognizer, _play(recording, rate, fast=fast), rate, hop_s=hop_s, seconds=seconds, show=show)
        return
    from emogram.recognition.microphone import Microphone

    with Microphone(microphone_of(device)) as microphone:
        first_s = recognizer.stream(hop_s=hop_s).window_s
        told = f"Listening: the first answer comes after {first_s:g} s of sound. Stop with Ctrl-C."
        typer.echo(f"{told} What you say stays on this machine.", err=True)
        _follow(recognizer, iter(microphone), microphone.sample_rate, hop_s=hop_s, seconds=seconds, show=show)


def _follow(
    recognizer: "Recognizer",
    blocks: "Iterator[Wave]",
    sample_rate: int,
    *,
    hop_s: float,
    seconds: float | None,
    show: _Show,
) -> None:
    import numpy as np

    stream = recognizer.stream(sample_rate=sample_rate, hop_s=hop_s)
    rate = recognizer.info.sample_rate
    recognizer.probabilities(np.zeros(round(stream.window_s * rate), np.float32))  # the first run takes longer
    heard = 0
    for block in blocks:
        arrived = time.perf_counter()
        for moment in stream.feed(block):
            show(moment, 1e3 * (time.perf_counter() - arrived))
        heard += len(block)
        if seconds is not None and heard >= seconds * sample_rate:
            break
    arrived = time.perf_counter()
    for moment in stream.close():
        show(moment, 1e3 * (time.perf_counter() - arrived))


def _play(recording: Path, rate: int, *, fast: bool) -> "Iterator[Wave]":
    """A file in blocks, each when a microphone would have given it."""
    from emogram import audio

    started = time.perf_counter()
    played = 0
    for block in audio.blocks(recording, rate, block_s=_BLOCK_S, allow_silent=True):
        played += len(block)
        if not fast:
            time.sleep(max(0.0, started + played / rate - time.perf_counter()))
        yield block


def _show_json(moment: "Moment", latency_ms: float) -> None:
    typer.echo(json.dumps(moment.to_dict() | {"latency_ms": round(latency_ms, 1)}))
    sys.stdout.flush()


class _Bars:
    """A bar an emotion, drawn over the one before in a terminal; a line a moment where it is none."""

    def __init__(self, emotions: tuple[str, ...]) -> None:
        self._width = max(len(emotion) for emotion in emotions)
        self._live = sys.stdout.isatty()
        self._full = "█" if "utf" in (sys.stdout.encoding or "").lower() else "#"
        self._drawn = 0

    def __call__(self, moment: "Moment", latency_ms: float) -> None:
        if not self._live:
            typer.echo(str(moment))
            sys.stdout.flush()
            return
        state = "no speech" if not moment.speech else "uncertain" if moment.uncertain else moment.emotion
        lines = [f"{moment.end_s:7.1f} s  {state}   ({latency_ms:.0f} ms)"]
        for emotion, probability in moment.probabilities.items():
            bar = self._full * round(_BAR * probability) if moment.speech else ""
            lines.append(f"{emotion:>{self._width}}  {bar:<{_BAR}} {probability:>4.0%}")
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        typer.echo(up + "\n".join(f"\x1b[2K{line}" for line in lines))
        sys.stdout.flush()
        self._drawn = len(lines)
