"""Seeded draws that are the same on every machine: exact apportionment, stratified clips, balanced speakers.

Nothing here depends on file order, on Python's built-in ``hash`` or on the stream of a generator: every choice is read
from a BLAKE2 digest of the seed and of the thing drawn.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from emogram.corpora.clip import Clip
from emogram.splits.split import recording, sources

PROPOSALS = 4000


def number(*key: object) -> int:
    """A 64-bit number drawn from a key."""
    text = "\x1f".join(str(part) for part in key)
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=8).digest(), "big")


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Integers in proportion to `weights` that add up to `total`: the largest-remainder method (Hamilton, 1792)."""
    whole = math.fsum(weights)
    quotas = [round(total * weight / whole, 9) if whole else 0.0 for weight in weights]
    counts = [math.floor(quota) for quota in quotas]
    order = sorted(range(len(quotas)), key=lambda index: (counts[index] - quotas[index], index))
    for index in order[: total - sum(counts)]:
        counts[index] += 1
    return counts


def stratify(clips: Sequence[Clip], shares: Sequence[float], key: str) -> list[list[Clip]]:
    """Deal clips into parts of exact size in which every emotion of every corpus has its share.

    Clips of identical audio, and augmented copies with their source, stay together. The sizes are those of `apportion`
    unless such bundles are too large to fit.

    Args:
        clips: any order.
        shares: one for each part, adding up to 1.
        key: seed of the draw.

    Returns:
        One list a part.
    """
    room = _targets(Counter(_stratum(clip) for clip in clips), len(clips), shares)
    parts: list[list[Clip]] = [[] for _ in shares]
    bundles = sorted(_bundles(clips), key=lambda bundle: (-len(bundle), number(key, bundle[0].clip_id)))
    for bundle in bundles:
        part = _draw_part(bundle, room, number(key, "part", bundle[0].clip_id))
        parts[part] += bundle
        for clip in bundle:
            room[_stratum(clip)][part] -= 1
    return parts


def balance(clips: Iterable[Clip], shares: Sequence[float], key: str, *, sizes: Sequence[int] = ()) -> list[list[str]]:
    """Deal speakers into parts, balanced in clips, emotions, sexes, corpora and kinds as far as speakers allow.

    Speakers are dealt in seeded order; then seeded exchanges and moves are tried, and kept when they bring the parts
    nearer to their shares.

    Args:
        clips: all with a speaker.
        shares: one for each part, above 0 and adding up to 1.
        key: seed of the draw.
        sizes: speakers for each part; without it, as many as balance best, at least one.

    Returns:
        The speakers of each part, sorted.
    """
    profiles = _profiles(clips)
    order = sorted(profiles, key=lambda speaker: (number(key, speaker), speaker))
    counts = list(sizes) or _at_least_one(apportion(len(order), shares))
    deal = [part for part, count in enumerate(counts) for _ in range(count)]
    part_of = _exchanged(dict(zip(order, deal, strict=True)), profiles, shares, key, movable=not sizes)
    return [sorted(speaker for speaker in order if part_of[speaker] == part) for part in range(len(shares))]


def _stratum(clip: Clip) -> tuple[str, str]:
    return clip.corpus, clip.emotion


def _targets(strata: Counter[tuple[str, str]], total: int, shares: Sequence[float]) -> dict[tuple[str, str], list[int]]:
    """How many clips of each stratum every part takes: rows and columns add up, last part first."""
    left = {stratum: strata[stratum] for stratum in sorted(strata)}
    columns = []
    for size in reversed(apportion(total, shares)):
        column = apportion(size, list(left.values()))
        columns.append(column)
        left = {stratum: count - taken for (stratum, count), taken in zip(left.items(), column, strict=True)}
    return {stratum: list(row) for stratum, row in zip(left, zip(*reversed(columns), strict=True), strict=True)}


def _bundles(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Clips grouped by the recording that they come from, each group sorted by clip."""
    source_of = sources(clips)
    groups: defaultdict[str, list[Clip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: clip.clip_id):
        groups[recording(clip, source_of) or f"clip {clip.clip_id}"].append(clip)
    return list(groups.values())


def _draw_part(bundle: Sequence[Clip], room: dict[tuple[str, str], list[int]], drawn: int) -> int:
    """A part drawn among the free places of those that can take the whole bundle; else the part with most room."""
    needed = Counter(_stratum(clip) for clip in bundle)
    free = [min(places) for places in zip(*(room[stratum] for stratum in needed), strict=True)]
    fits = [
        places if all(room[stratum][part] >= count for stratum, count in needed.items()) else 0
        for part, places in enumerate(free)
    ]
    if not any(fits):
        return max(range(len(free)), key=lambda part: (free[part], -part))
    place = drawn % sum(fits)
    for part, places in enumerate(fits):
        if place < places:
            return part
        place -= places
    raise AssertionError("a place beyond the sum of places")


def _profiles(clips: Iterable[Clip]) -> dict[str, Counter[str]]:
    """How many clips every speaker has in all, and of every emotion, sex, corpus and kind."""
    profiles: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for clip in clips:
        traits = ("clips", f"emotion {clip.emotion}", f"sex {clip.sex}", f"corpus {clip.corpus}", f"kind {clip.kind}")
        profiles[clip.speaker].update(traits)
    return dict(profiles)


def _at_least_one(counts: list[int]) -> list[int]:
    for index, count in enumerate(counts):
        if count == 0:
            counts[counts.index(max(counts))] -= 1
            counts[index] = 1
    return counts


def _exchanged(
    part_of: dict[str, int], profiles: dict[str, Counter[str]], shares: Sequence[float], key: str, *, movable: bool
) -> dict[str, int]:
    """Try seeded exchanges of two speakers, and moves of one where `movable`, and keep those that balance better."""
    speakers = sorted(part_of)
    rows, cost = _measure(profiles, shares)
    held = [_total([rows[s] for s in speakers if part_of[s] == part], rows) for part in range(len(shares))]
    sizes = Counter(part_of.values())
    for step in range(PROPOSALS):
        drawn = number(key, "exchange", step)
        one, other = speakers[drawn % len(speakers)], speakers[(drawn >> 24) % len(speakers)]
        here, there, move = part_of[one], part_of[other], movable and drawn >> 63 == 1
        if here == there or (move and sizes[here] == 1):
            continue
        shift = [x if move else x - y for x, y in zip(rows[one], rows[other], strict=True)]
        less = [x - y for x, y in zip(held[here], shift, strict=True)]
        more = [x + y for x, y in zip(held[there], shift, strict=True)]
        if cost(here, less) + cost(there, more) >= cost(here, held[here]) + cost(there, held[there]) - 1e-9:
            continue
        part_of[one], part_of[other] = there, there if move else here
        held[here], held[there] = less, more
        if move:
            sizes.update({here: -1, there: 1})
    return part_of


def _measure(
    profiles: dict[str, Counter[str]], shares: Sequence[float]
) -> tuple[dict[str, list[int]], Callable[[int, list[int]], float]]:
    """Every speaker's clips by trait, and the cost of what a part holds: its distance from the part's share.

    Clips, emotions, sexes, corpora and kinds count alike. ``math.fsum`` rounds once, so that the cost is the same on
    every machine and Python.
    """
    traits = sorted(set().union(*profiles.values()))
    rows = {speaker: [counts[trait] for trait in traits] for speaker, counts in profiles.items()}
    totals = _total(list(rows.values()), rows)
    groups = Counter(trait.split()[0] for trait in traits)
    weights = [1 / groups[trait.split()[0]] for trait in traits]

    def cost(part: int, counts: list[int]) -> float:
        share = shares[part]
        terms = zip(weights, counts, totals, strict=True)
        return math.fsum(weight * (count / total - share) ** 2 for weight, count, total in terms) / share

    return rows, cost


def _total(chosen: list[list[int]], rows: dict[str, list[int]]) -> list[int]:
    width = len(next(iter(rows.values())))
    return [sum(row[index] for row in chosen) for index in range(width)]
