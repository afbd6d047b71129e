// What can be taken along: the answer as JSON, CSV or SRT, in the forms that `emogram predict --timeline` writes, and the sound.

export function save(content, name, type) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export function toJson(prediction, timeline) {
  return `${JSON.stringify({ prediction, timeline }, null, 2)}\n`;
}

export function toCsv(timeline, emotions) {
  const rows = timeline.segments.map((segment) => [
    timeline.file,
    segment.start_s.toFixed(3),
    segment.end_s.toFixed(3),
    segment.emotion,
    segment.confidence.toFixed(6),
    String(segment.uncertain),
    ...emotions.map((emotion) => segment.probabilities[emotion].toFixed(6)),
  ]);
  const head = ["file", "start_s", "end_s", "emotion", "confidence", "uncertain", ...emotions];
  return [head, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

function quoted(value) {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toSrt(timeline) {
  return timeline.segments
    .map((segment, at) => `${at + 1}\n${cue(segment.start_s)} --> ${cue(segment.end_s)}\n${label(segment)}\n\n`)
    .join("");
}

function label(segment) {
  const emotion = segment.emotion.split(/\s+/).filter(Boolean).join(" ");
  return `${emotion} ${Math.round(100 * segment.confidence)}%${segment.uncertain ? " (uncertain)" : ""}`;
}

function cue(seconds) {
  const milliseconds = Math.round(1000 * seconds);
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const rest = String(milliseconds % 1000).padStart(3, "0");
  return `${two(milliseconds / 3_600_000)}:${two((milliseconds / 60_000) % 60)}:${two((milliseconds / 1000) % 60)},${rest}`;
}
