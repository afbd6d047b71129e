"""Reading a corpus on disk: `scan` lists its clips with their audio facts, `check` compares it with its release."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from emogram import audio, processors
from emogram.corpora.clip import Clip, read_manifest
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import audio_files, of_clip
from emogram.corpora.registry import get
from emogram.emotions import ordered
from emogram.errors import AudioError, ConfigurationError, CorpusError

CLIPPED_PART = 1e-4
"""A clip counts as clipped when more than this part of its samples lies at full scale."""

Progress = Callable[[int, int], None]
"""Called with the number of files done and of all files."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `check` found. Files are named by their path below the corpus, clips by their ``clip_id``.

    Attributes:
        corpus: the name under which it was checked.
        path: the folder or table.
        official: the number of clips in the official release; 0 where there is none.
        clips: clips that can be read.
        speakers: distinct known speakers among them.
        emotions: number of clips of each emotion, in canonical order.
        missing: official clips of which there is no file.
        extra: audio files that are no official clip, by name.
        unreadable: files of clips that cannot be decoded, or are longer than `emogram.audio.MAX_DURATION_S`.
        problems: for each of these, what is wrong and what to do.
        duplicates: groups of files that are equal byte for byte, repeated ones among them.
        repeated: further files of a clip that is already counted, as in bundles that hold a folder twice.
        clipped: files with more than `CLIPPED_PART` of their samples at full scale.
        silent: files that stay below -80 dB of full scale.
    """

    corpus: str
    path: str
    official: int
    clips: int
    speakers: int
    emotions: dict[str, int]
    missing: list[str]
    extra: list[str]
    unreadable: list[str]
    problems: dict[str, str]
    duplicates: list[list[str]]
    repeated: list[str]
    clipped: list[str]
    silent: list[str]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing or unreadable. Duplicates are in the official releases too, and do not count."""
        return not self.missing and not self.unreadable and self.clips > 0

    def as_dict(self) -> dict[str, object]:
        """Plain lists, dictionaries and numbers, for JSON."""
        return asdict(self)


def scan(
    name: str,
    path: str | os.PathLike[str],
    *,
    kind: str | None = None,
    labels: Mapping[str, str] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    on_unreadable: Callable[[AudioError], None] | None = None,
) -> list[Clip]:
    """The clips of a corpus on disk, each with its decoded duration and the hash of its file.

    Args:
        name: a name in `CORPORA`.
        path: the folder that holds it, at any depth; for ``csv`` the table.
        kind: ``speech`` or ``song``, to keep only these.
        labels: the user's own label map, for ``folder`` and ``csv``.
        workers: threads that decode; as many as the machine has processors, up to 8, where not given.
        progress: called after each file.
        on_unreadable: called for each clip that cannot be decoded or is too long, which is then left out. Where not
            given, the first such clip is raised.

    Returns:
        clips sorted by ``clip_id``: the same rows on every machine, apart from ``path``.

    Raises:
        ConfigurationError: no such corpus or kind, or labels for a corpus that has its own.
        CorpusError: the folder is missing, or holds no clip of the corpus.
        AudioError: a clip cannot be decoded, or is longer than `emogram.audio.MAX_DURATION_S`.
    """
    corpus = get(name)
    clips = _one_file_a_clip(_of_kind(corpus, kind, _find(corpus, Path(path), labels)))
    if not clips:
        part = f" {kind}" if kind else ""
        raise CorpusError(f"{path}: no{part} clip of {name!r} found; its files are named like {corpus.example}")
    rows: list[Clip] = []
    for clip, reading in zip(clips, _in_threads(_read, [clip.path for clip in clips], workers, progress), strict=True):
        if not isinstance(reading.facts, AudioError):
            rows.append(replace(clip, duration_s=round(reading.facts.duration_s, 6), sha256=reading.sha256))
        elif on_unreadable is None:
            raise reading.facts
        else:
            on_unreadable(reading.facts)
    return rows


def scan_all(
    places: Iterable[tuple[str, Path]],
    *,
    labels: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    on_unreadable: Callable[[AudioError], None] | None = None,
) -> list[Clip]:
    """The clips of several corpora, one after the other; a place that is a ``.csv`` manifest is read instead of scanned.

    Args:
        places: name of a corpus, and where it lies.
        labels: as for `scan`, for ``folder`` and ``csv`` among them.
        progress: as for `scan`.
        on_unreadable: as for `scan`.

    Raises:
        EmogramError: as `scan`; a manifest that cannot be read.
    """
    clips: list[Clip] = []
    for name, path in places:
        if path.suffix == ".csv" and name != "csv":
            clips.extend(read_manifest(path))
        else:
            own = labels if get(name).find_labelled is not None else None
            clips.extend(scan(name, path, labels=own, progress=progress, on_unreadable=on_unreadable))
    return clips


def check(
    name: str,
    path: str | os.PathLike[str],
    *,
    kind: str | None = None,
    labels: Mapping[str, str] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Compare a corpus on disk with its official release, and decode every clip.

    Args:
        name: a name in `CORPORA`. ``ravdess`` expects the parts of which it finds a clip: speech, song or both.
        path: as for `scan`, and the others too.
        kind: as for `scan`.
        labels: as for `scan`.
        workers: as for `scan`.
        progress: as for `scan`.

    Raises:
        ConfigurationError: no such corpus or kind, or labels for a corpus that has its own.
        CorpusError: the folder is missing; for ``folder`` and ``csv``, a file or row that has no place.
    """
    root = Path(path).absolute()
    listing = _list(get(name), root, kind, labels)
    paths = [clip.path for clip in listing.counted]
    readings = dict(zip(paths, _in_threads(_read, paths, workers, progress), strict=True))
    hashes = {path: reading.sha256 for path, reading in readings.items()}
    hashes.update((path, _sha256(path)) for path in listing.unknown + listing.repeated)
    facts = {path: reading.facts for path, reading in readings.items() if not isinstance(reading.facts, AudioError)}
    readable = [clip for clip in listing.counted if clip.path in facts]
    emotions = Counter(clip.emotion for clip in readable)
    below = partial(_below, root)
    problems = {below([path])[0]: str(reading.facts) for path, reading in readings.items() if path not in facts}
    return Report(
        corpus=name,
        path=str(path),
        official=len(listing.official),
        clips=len(readable),
        speakers=len({clip.speaker for clip in readable if clip.speaker}),
        emotions={emotion: emotions[emotion] for emotion in ordered(emotions)},
        missing=listing.missing(),
        extra=below(listing.extra()),
        unreadable=sorted(problems),
        problems=dict(sorted(problems.items())),
        duplicates=sorted(below(group) for group in _equal(hashes)),
        repeated=below(listing.repeated),
        clipped=below(path for path, fact in facts.items() if fact.clipped > CLIPPED_PART),
        silent=below(path for path, fact in facts.items() if fact.silent),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one file is, or why it cannot be used, and its hash (empty where not even its bytes can be had)."""

    facts: audio.Facts | AudioError
    sha256: str


def _read(path: str) -> _Reading:
    try:
        # As long as training and models hear, so that nothing passes here which they refuse.
        return _Reading(audio.probe(path, max_duration_s=audio.MAX_DURATION_S), _sha256(path))
    except AudioError as error:
        return _Reading(of_clip(error, error.source), _sha256(path))


def _sha256(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


class _Listing(NamedTuple):
    """The files of a corpus and its release, told apart by their names alone."""

    official: frozenset[str]
    counted: list[Clip]
    """One file a clip."""
    repeated: list[str]
    unknown: list[str]

    def missing(self) -> list[str]:
        """Names of official clips of which there is no file."""
        return sorted(self.official.difference(clip.clip_id for clip in self.counted))

    def extra(self) -> list[str]:
        """Files that are no official clip; none where there is no release."""
        return self.unknown + [
            clip.path for clip in self.counted if self.official and clip.clip_id not in self.official
        ]


def _list(corpus: Corpus, root: Path, kind: str | None, labels: Mapping[str, str] | None) -> _Listing:
    recognised = _find(corpus, root, labels)
    clips = _of_kind(corpus, kind, recognised)
    counted = _one_file_a_clip(clips)
    part = corpus.kind or kind
    official = corpus.official([part] if part else {clip.kind for clip in clips})
    unknown = _without(map(str, audio_files(root)), recognised) if official else []
    return _Listing(official, counted, _without([clip.path for clip in clips], counted), unknown)


def _in_threads(
    work: Callable[[str], _T], paths: Sequence[str], workers: int | None, progress: Progress | None
) -> Iterator[_T]:
    """`work` done for each path, in order. Decoding and hashing release the interpreter's lock."""
    threads = min(8, processors.count()) if workers is None else workers
    if threads < 1:
        raise ConfigurationError(f"workers: {threads} is no number of threads; give 1 or more")
    executor = ThreadPoolExecutor(threads)
    try:
        for done, result in enumerate(executor.map(work, paths), start=1):
            if progress is not None:
                progress(done, len(paths))
            yield result
    finally:
        executor.shutdown(cancel_futures=True)


def _find(corpus: Corpus, root: Path, labels: Mapping[str, str] | None) -> list[Clip]:
    """A row for every file that the corpus recognises, sorted by ``clip_id``."""
    if not labels:
        return corpus.find(root)
    if corpus.find_labelled is None:
        raise ConfigurationError(f"labels: {corpus.name!r} has its own label table; leave the label map away")
    return corpus.find_labelled(root, labels)


def _of_kind(corpus: Corpus, kind: str | None, clips: Iterable[Clip]) -> list[Clip]:
    if kind not in (None, "speech", "song"):
        raise ConfigurationError(f"kind: {kind!r} is not known; choose from speech, song")
    wanted = {kind for kind in (kind, corpus.kind) if kind}
    return [clip for clip in clips if wanted <= {clip.kind}]


def _one_file_a_clip(clips: Iterable[Clip]) -> list[Clip]:
    first: dict[str, Clip] = {}
    for clip in clips:
        first.setdefault(clip.clip_id, clip)
    return list(first.values())


def _without(paths: Iterable[str], clips: Iterable[Clip]) -> list[str]:
    known = {clip.path for clip in clips}
    return [path for path in paths if path not in known]


def _equal(hashes: Mapping[str, str]) -> list[list[str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for path, sha256 in hashes.items():
        if sha256:
            groups[sha256].append(path)
    return [group for group in groups.values() if len(group) > 1]


def _below(root: Path, paths: Iterable[str]) -> list[str]:
    """The paths relative to the corpus, where they lie in it, sorted."""
    folder = root if root.is_dir() else root.parent
    return sorted(
        Path(path).relative_to(folder).as_posix() if Path(path).is_relative_to(folder) else path for path in paths
    )
