"""A timeline as text: table, JSON, CSV, SubRip, WebVTT, Audacity labels."""

import csv
import io
import json
from typing import TYPE_CHECKING

from emogram.audio import name_of

if TYPE_CHECKING:
    from emogram.recognition.timeline import Timeline
    from emogram.recognition.timeline_segments import Segment


def as_table(timeline: "Timeline") -> str:
    """A head line, a line a segment, and what is wrong with the recording."""
    head = f"{name_of(timeline.file)}: {timeline.speech_s:.1f} s of speech in {clock(timeline.duration_s)}"
    lines = [head, *(f"warning: {warning}" for warning in timeline.warnings)]
    if timeline.segments:
        width = max(len(emotion) for emotion in timeline.emotions)
        lines.append(f"{'start':>9}  {'end':>9}  {'emotion':<{width}}  confidence  next")
    for segment in timeline.segments:
        other, probability = sorted(segment.probabilities.items(), key=lambda item: -item[1])[1]
        lines.append(
            f"{clock(segment.start_s):>9}  {clock(segment.end_s):>9}  {segment.emotion:<{width}}  "
            f"{segment.confidence:>10.0%}  {other} {probability:.0%}{'  uncertain' if segment.uncertain else ''}"
        )
    return "\n".join(lines)


def as_json(timeline: "Timeline") -> str:
    """One object."""
    return json.dumps(timeline.to_dict(), indent=2)


def as_csv(timeline: "Timeline", *, header: bool = True) -> str:
    """A line a segment, ended by a line feed each."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    if header:
        table.writerow(["file", "start_s", "end_s", "emotion", "confidence", "uncertain", *timeline.emotions])
    for item in timeline.segments:
        times = f"{item.start_s:.3f}", f"{item.end_s:.3f}"
        values = (f"{value:.6f}" for value in item.probabilities.values())
        uncertain = str(item.uncertain).lower()
        table.writerow([timeline.file, *times, item.emotion, f"{item.confidence:.6f}", uncertain, *values])
    return text.getvalue()


def as_srt(timeline: "Timeline") -> str:
    """Numbered cues with a comma before the milliseconds."""
    return "".join(
        f"{number}\n{_time(item.start_s, ',')} --> {_time(item.end_s, ',')}\n{_label(item)}\n\n"
        for number, item in enumerate(timeline.segments, start=1)
    )


def as_vtt(timeline: "Timeline") -> str:
    """https://www.w3.org/TR/webvtt1/."""
    cues = (
        f"{_time(item.start_s, '.')} --> {_time(item.end_s, '.')}\n{_escaped(_label(item))}\n\n"
        for item in timeline.segments
    )
    return "WEBVTT\n\n" + "".join(cues)


def as_audacity(timeline: "Timeline") -> str:
    """Start, end and label, by tabulators."""
    return "".join(f"{item.start_s:.6f}\t{item.end_s:.6f}\t{_label(item)}\n" for item in timeline.segments)


def clock(seconds: float) -> str:
    """``1:02:03.4``; hours only where there are some."""
    tenths = round(10 * seconds)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}:{minutes:02d}" if hours else f"{minutes}") + f":{tenths // 10:02d}.{tenths % 10}"


def _label(segment: "Segment") -> str:
    emotion = " ".join(segment.emotion.split())
    return f"{emotion} {segment.confidence:.0%}{' (uncertain)' if segment.uncertain else ''}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(seconds: float, point: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}{point}{milliseconds % 1000:03d}"
