"""The recipe of a bundled model: corpora, the configuration of its runs, what it is tested under, how small it gets."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from emogram import splits
from emogram.corpora.clip import Clip, read_manifest, write_manifest
from emogram.emotions import EMOTIONS
from emogram.errors import ConfigurationError, did_you_mean
from emogram.networks.compaction import Bits
from emogram.training.configuration import Configuration, validate
from emogram.training.material import gather
from emogram.training.problems import describe
from emogram.training.settings import Settings
from emogram.training.yaml_text import put, put_value, read

HELD_OUT, LEFT_OUT, RELEASE = "held-out", "leave-corpus-out", "release"


class LeftOut(Settings):
    """How a recipe goes about leaving a corpus out: each is tested in turn by what was trained on the others."""

    corpora: dict[str, Path] = Field(default_factory=dict, description="that join those of the recipe, here alone")
    change: dict[str, Any] = Field(default_factory=dict, description="fields that differ, as fit.soup: 1")


class Recipe(Settings):
    """A bundled model, from corpora to file. Paths are those below the folder of data."""

    name: str = Field(description="of the model", max_length=40, pattern=r"^[a-z][a-z0-9-]*$")
    summary: str = Field(description="what it is, in a line", max_length=200)
    corpora: dict[str, Path] = Field(description="corpus name to folder; song and speech share speakers", min_length=1)
    emotions: tuple[str, ...] = Field((), description="that it learns, other clips are left out; none given: all")
    left_out: LeftOut = Field(LeftOut(), description="other corpora and fields where a corpus is left out")
    protocol: str = Field("ravdess-emobox", description="published folds that give its scores on unseen speakers")
    noise: Path = Field(Path("esc10"), description="recordings of background noise, for testing alone")
    noise_recordings: str = Field("*", description="pattern of the names of those that are tested with")
    snr_db: tuple[float, ...] = Field((20.0, 10.0, 5.0, 0.0), description="signal-to-noise ratios, loudest voice first")
    bits: Bits = Field(12, description="of a weight in the file that ships")
    whole_products: bool = Field(False, description="compute products of large matrices in whole numbers: faster")
    notices: tuple[str, ...] = Field((), description="that others' licences ask to carry along")
    configuration: dict[str, Any] = Field(
        description="fields of the runs; {data} is the folder of data, {run} the run's own place below the model's "
        "folder, {models} the folder that holds all models' folders"
    )

    @property
    def compaction(self) -> str:
        """What was done to the weights of the file that ships, as a name of a folder."""
        return f"{self.bits}-bit{'-whole' if self.whole_products else ''}"

    @field_validator("protocol")
    @classmethod
    def _published(cls, name: str) -> str:
        if name not in splits.NAMES:
            raise ValueError(f"no split {name!r:.80}{did_you_mean(name[:80], splits.NAMES) or ''}")
        return name

    @field_validator("emotions")
    @classmethod
    def _canonical(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in EMOTIONS:
                raise ValueError(f"no emotion {name!r:.80}{did_you_mean(name[:80], EMOTIONS) or ''}")
        return names


@dataclass(frozen=True)
class Plan:
    """A recipe at work: where its data lies and where its runs go.

    Attributes:
        recipe: of the model.
        data: folder of the corpora.
        folder: of the model; those of other models lie beside it.
    """

    recipe: Recipe
    data: Path
    folder: Path

    def run_folder(self, step: str, fold: int) -> Path:
        """Where a run of a step lies."""
        return self.folder / _place(step, fold)

    def configuration(self, step: str, fold: int = 1) -> Configuration:
        """The configuration of a run of a step.

        Raises:
            ConfigurationError: a field that is wrong.
        """
        words = {"{data}": str(self.data), "{models}": str(self.folder.parent), "{run}": _place(step, fold)}
        fields = _filled(self.recipe.configuration, words)
        fields["name"] = self.recipe.name
        fields["corpora"] = {name: str(self.data / path) for name, path in self.corpora(step).items()}
        for name, value in self.recipe.left_out.change.items() if step == LEFT_OUT else ():
            put_value(fields, name, _filled(value, words), f"recipe {self.recipe.name}: left_out.change.{name}")
        name = {HELD_OUT: self.recipe.protocol, LEFT_OUT: LEFT_OUT, RELEASE: RELEASE}[step]
        fields["split"] = {**fields.get("split", {}), "name": name, "fold": fold}
        return validate(fields, source=f"recipe {self.recipe.name}: configuration")

    def corpora(self, step: str) -> dict[str, Path]:
        """Folders of the corpora of a step below that of data, by their names."""
        return self.recipe.corpora | (self.recipe.left_out.corpora if step == LEFT_OUT else {})

    def manifest(self, step: str = RELEASE) -> Path:
        """Where the clips of a step are written down, beside the models' folders, since reading them takes long."""
        named = sorted((name, str(path)) for name, path in self.corpora(step).items())
        content = json.dumps([str(self.data), named])
        return self.folder.parent / f"clips-{hashlib.sha256(content.encode()).hexdigest()[:12]}.csv"

    def chosen(self, clips: Sequence[Clip]) -> list[Clip]:
        """The clips whose emotion it learns."""
        wanted = set(self.recipe.emotions)
        return [clip for clip in clips if not wanted or clip.emotion in wanted]


def gather_clips(plan: Plan, step: str = RELEASE, *, progress: Callable[[int, int], None] | None = None) -> list[Clip]:
    """The clips of a step's corpora, from its manifest where there is one, else read and written there.

    Args:
        plan: of the model.
        step: which; all but one have the same.
        progress: called after each file.

    Raises:
        CorpusError: a corpus is not where it is said to be.
        AudioError: a clip cannot be decoded.
    """
    path = plan.manifest(step)
    if path.exists():
        return read_manifest(path)
    clips = gather(plan.configuration(step), progress=progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_manifest(path, clips)
    return clips


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply overrides such as ``configuration.fit.epochs=2``.

    Raises:
        ConfigurationError: names the field, the value and the choices, in one line.
    """
    values = read(path)
    for setting in overrides:
        put(values, setting)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(describe(error, Recipe, str(path))) from error


def _place(step: str, fold: int) -> str:
    return step if step == RELEASE else f"{step}/fold-{fold}"


def _filled(value: Any, words: dict[str, str]) -> Any:
    """Plain values with words in braces replaced; other braces, as ``{fold}``, stay."""
    if isinstance(value, dict):
        return {name: _filled(item, words) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, words) for item in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace(word, text)
    return value
