"""The forms of answers and errors, for the OpenAPI document. Answers are made by `emogram.recognition`; tests compare."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Always about:blank; `code` tells problems apart.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What is wrong and what to do about it, one line.")
    code: str = Field(description="The same in a word for programs, such as too_large.")


class Warned(_Form):
    """One thing that makes an answer less trustworthy."""

    problem: str = Field(description="no_speech, too_short, too_quiet, clipped, mostly_silence, narrow_band, noisy.")
    message: str = Field(description="The same in words, with what was measured.")


class PredictionForm(_Form):
    """What the model makes of a recording."""

    file: str
    emotion: str = Field(description="The most probable one.")
    probabilities: dict[str, float] = Field(
        description="Of every emotion the model knows, in its order; they sum to 1."
    )
    confidence: float = Field(description="The probability of `emotion`.")
    duration_s: float
    model: str
    uncertain: bool = Field(description="Whether the confidence is below the model's threshold, or nobody speaks.")
    warnings: list[Warned]
    explanation: dict[str, Any] | None = Field(
        None, description="Which part of the spectrogram spoke for it, if asked for."
    )


class FailedForm(_Form):
    """A recording that cannot be used, among several."""

    file: str
    error: str = Field(description="What is wrong with it and what to do about it.")


class PredictAnswer(_Form):
    """An answer for each recording, in their order."""

    model: str
    results: list[PredictionForm | FailedForm]


class SegmentForm(_Form):
    """A stretch of speech in one emotion."""

    start_s: float
    end_s: float
    emotion: str
    probabilities: dict[str, float]
    confidence: float
    uncertain: bool


class TimelineAnswer(_Form):
    """When which emotion is spoken."""

    file: str
    duration_s: float
    speech_s: float = Field(description="Seconds in which somebody speaks.")
    model: str
    window_s: float
    hop_s: float
    segments: list[SegmentForm]
    shares: dict[str, float] = Field(description="The part of the speech in each emotion.")
    warnings: list[Warned]


class LimitsForm(_Form):
    """What the server takes."""

    max_request_bytes: int
    max_audio_s: float
    max_files: int
    deadline_s: float
    max_sessions: int
    max_message_bytes: int
    session_s: float
    idle_s: float
    min_hop_s: float


class ModelAnswer(BaseModel):
    """What the model says about itself, and what the server takes."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    name: str
    labels: list[str]
    sample_rate: int
    clip_s: float
    min_s: float
    window_s: float
    threshold: float = Field(description="The probability below which an answer is uncertain.")
    explains: bool = Field(description="Whether explain=true gives an explanation.")
    records: bool = Field(description="Whether the server keeps clips of the real-life test.")
    adapts: bool = Field(description="Whether clients may have the model adapted to those clips.")
    intended: list[str] = Field(description="Emotions to choose from in the real-life test.")
    downloadable: bool = Field(description="Whether /v1/model/file gives the model's file.")
    browser_runtime: bool = Field(description="Whether the page can run the model within the browser.")
    limits: LimitsForm


class TallyAnswer(_Form):
    """The real-life test so far."""

    tally: dict[str, dict[str, int]] = Field(
        description="How often which emotion was recognised where which was meant."
    )
    total: int
    agreeing: int


class RecordingAnswer(TallyAnswer):
    """A clip that was kept, and the real-life test with it."""

    prediction: PredictionForm
    intended: str
    agrees: bool


class ScoreForm(_Form):
    """A score between 0 and 1 with its 95 % interval over speakers, where there is one."""

    value: float
    low: float | None
    high: float | None


class AdaptationForm(_Form):
    """What an adaptation is worth."""

    clips: int
    speakers: int = Field(description="That are named.")
    emotions: list[str] = Field(description="That the adapted model tells apart.")
    other_speakers: bool = Field(description="Whether each clip was answered by a layer fitted to other speakers.")
    before: ScoreForm | None = Field(
        description="Accuracy as it was; null where it knew fewer than two of the emotions."
    )
    after: ScoreForm = Field(description="Accuracy adapted, on clips that the layer was not fitted to.")
    sentence: str | None = Field(description="Both compared.")
    notes: list[str] = Field(description="What limits the scores.")


class AdaptationAnswer(_Form):
    """Whether the model was adapted."""

    adapted: AdaptationForm | None


class StateAnswer(_Form):
    """How the server is."""

    status: Literal["ok"]


class JsonFile(_Form):
    """A recording within JSON."""

    name: str = Field("recording", description="Shown in the answer.")
    data: str = Field(description="The file in base64.", json_schema_extra={"contentEncoding": "base64"})


class JsonFiles(_Form):
    """Recordings within JSON."""

    files: list[JsonFile] = Field(min_length=1)
