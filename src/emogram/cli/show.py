"""`emogram show`: a clip as a network sees it, before and after augmentation, on paper, in the terminal, and to hear."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emogram.cli.options import MODEL_VARIABLE
from emogram.cli.training import laboratory, tell
from emogram.cli.typed import Typed, names_in, sort_out
from emogram.errors import ConfigurationError
from emogram.writing import whole

if TYPE_CHECKING:
    from emogram.pictures.views import Shown, Version, Wave
    from emogram.spectrograms.settings import TypeSettings
    from emogram.training.configuration import Configuration

Words = Annotated[
    list[str],
    typer.Argument(metavar="CLIP... [CONFIGURATION.yaml] [FIELD=VALUE]...", help="Recordings, and settings."),
]
SpectrogramNames = Annotated[
    list[str] | None,
    typer.Option("--spectrogram", "-s", metavar="NAME|all", help="A type, several with commas, or all of them."),
]
AugmentationNames = Annotated[
    list[str] | None,
    typer.Option("--augment", "-a", metavar="NAME", help="Show the clip before and after it; several with commas."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE.png|.svg|DIR", help="Where to draw; the terminal when left out."),
]
Listen = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write the clip and what augmentation makes of it as WAV files.")
]
Why = Annotated[
    bool, typer.Option("--why", "-w", help="Show which part spoke for the emotion that a model hears in it.")
]
Emotion = Annotated[
    str | None, typer.Option("--emotion", "-e", help="With --why: this emotion, and not the most probable one.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|FILE",
        help="With --why: base, large, or a file; see: emogram models.",
        envvar=MODEL_VARIABLE,
    ),
]


def register(application: typer.Typer) -> None:
    """Add `show` to the application."""
    application.command()(show)


def show(
    words: Words,
    spectrogram: SpectrogramNames = None,
    augment: AugmentationNames = None,
    output: Output = None,
    listen: Listen = None,
    *,
    why: Why = False,
    emotion: Emotion = None,
    model: Model = None,
) -> None:
    """Draw clips as a network sees them: the wave, and one or all types of spectrogram.

    Without -o the picture goes straight into the terminal; where standard output is no terminal, into a PNG file beside
    you. Several clips are compared in one figure, or drawn into one each where -o names a folder. What an augmentation
    draws follows from the field seed. The values are those that a network gets before they are standardised.

    With --why a model is asked: in orange what spoke for the emotion, in blue what spoke against it, and beside them how
    probable each emotion is. See docs/explanation.md for what that can say and what it cannot.

    Examples:
        emogram show clip.wav

        emogram show clip.wav --spectrogram all -o clip.png

        emogram show clip.wav --spectrogram logmel,mfcc spectrogram.n_fft=1024 -o clip.svg

        emogram show clip.wav --augment speed,noise,masks --listen augmented/ -o before-and-after.png seed=3

        emogram show angry.wav sad.wav -o comparison.png

        emogram show clip.wav --why --model model.onnx -o why.png
    """
    with laboratory("emogram show"):
        import emogram.pictures.sheet  # noqa: F401 - to know early that all is there
    typed = sort_out(words)
    if not typed.rest:
        raise ConfigurationError("clip: none given; name a recording, for example emogram show clip.wav")
    if why:
        from emogram.cli.why import show_why

        _refuse_settings(typed, {"--spectrogram": spectrogram, "--augment": augment, "--listen": listen})
        show_why(typed.rest, _target(output, typed.rest), model=model, emotion=emotion)
    elif emotion is not None:
        raise ConfigurationError("--emotion: goes with an explanation; add --why")
    else:
        _show_clips(typed, names_in(spectrogram), names_in(augment), output, listen)


def _show_clips(
    typed: Typed, spectrograms: Sequence[str], augmentations: Sequence[str], output: Path | None, listen: Path | None
) -> None:
    """Draw clips, and write them to be heard where a folder is named for that."""
    configuration = typed.configuration()
    settings = typed.spectrograms(spectrograms)
    target = _target(output, typed.rest)
    rate = configuration.audio.sample_rate
    clips = _look(_versions(typed.rest, augmentations, configuration), settings, rate)
    if listen is not None:
        _write_waves(listen, clips, rate)
    if target is None:
        _draw_in_terminal(clips, rate)
        return
    for path in _draw_files(target, clips, rate):
        typer.echo(str(path))


def _refuse_settings(typed: Typed, options: Mapping[str, object]) -> None:
    """An explanation has the spectrogram that is in the model."""
    given = [*typed.fields, *([str(typed.file)] if typed.file else []), *(name for name in options if options[name])]
    if given:
        raise ConfigurationError(f"{given[0]}: changes nothing about an explanation; leave it out, or leave out --why")


def _target(output: Path | None, clips: Sequence[str]) -> Path | None:
    """The file or folder to draw into; None is the terminal."""
    from emogram.evaluation.style import FIGURE_SUFFIXES

    if output is None:
        if sys.stdout.isatty():
            return None
        beside = Path(f"{Path(clips[0]).stem}.png")
        if beside.exists():
            raise ConfigurationError(f"{beside}: is there already; name a file with -o, which may replace one")
        return beside
    if output.is_dir() or not output.suffix:
        return output
    if output.suffix.lower() not in FIGURE_SUFFIXES:
        raise ConfigurationError(
            f"--output {output}: cannot be drawn; choose a name that ends in .png or .svg, or a folder"
        )
    return output


def _versions(
    recordings: Sequence[str], augmentations: Sequence[str], configuration: "Configuration"
) -> "dict[str, list[Version]]":
    """Each clip as recorded and after each augmentation, by a name of its own."""
    from emogram import audio
    from emogram.pictures.augmented import Request, augment
    from emogram.pictures.views import Version
    from emogram.training.data import generator

    rate = configuration.audio.sample_rate
    waves: list[Wave] = [audio.load(recording, rate, allow_silent=True) for recording in recordings]
    clips: dict[str, list[Version]] = {}
    for index, (recording, wave) in enumerate(zip(recordings, waves, strict=True)):
        versions = [Version("as recorded", wave)]
        for place, name in enumerate(augmentations):
            rng = generator(configuration.seed, "clip", place, index)
            others = [*waves[index + 1 :], *waves[:index]]
            versions.append(augment(name, Request(wave, others, rate, configuration.augmentation, rng)))
        clips[_free_name(Path(recording).stem, clips)] = versions
    return clips


def _free_name(stem: str, taken: "dict[str, list[Version]]") -> str:
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


def _look(clips: "dict[str, list[Version]]", settings: "Sequence[TypeSettings]", sample_rate: int) -> "list[Shown]":
    from emogram.pictures.views import Shown, look

    front_ends = [(chosen, chosen.build(sample_rate)) for chosen in settings]
    shown = []
    for name, versions in clips.items():
        looks = [[look(version, *front_end, sample_rate) for front_end in front_ends] for version in versions]
        shown.append(Shown(name, versions, looks))
    return shown


def _write_waves(folder: Path, clips: "Sequence[Shown]", sample_rate: int) -> None:
    """As floating point, since an augmentation may go beyond full scale, which a network hears too."""
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        for version in clip.versions:
            if not version.audible:
                tell(f"{version.name}: changes the spectrogram, there is nothing to hear")
                continue
            path = folder / ("-".join(filter(None, (clip.name, version.name))) + ".wav")
            with whole(path) as partial:
                soundfile.write(partial, version.wave, sample_rate, format="WAV", subtype="FLOAT")
            tell(f"to hear: {path}")


def _draw_in_terminal(clips: "Sequence[Shown]", sample_rate: int) -> None:
    from rich.console import Console

    from emogram.pictures import terminal

    terminal.draw(Console(), clips, sample_rate=sample_rate)


def _draw_files(target: Path, clips: "Sequence[Shown]", sample_rate: int) -> Iterator[Path]:
    """One figure for all, or one for each into a folder."""
    from emogram.evaluation.style import write
    from emogram.pictures.sheet import sheet

    if target.suffix and not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        yield write(sheet(clips, sample_rate=sample_rate), target)
        return
    target.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        yield write(sheet([clip], sample_rate=sample_rate), target / f"{clip.name}.png")
