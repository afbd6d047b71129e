"""`POST /v1/predict` and `POST /v1/timeline`."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emogram.errors import AudioError
from emogram.recognition import Timeline
from emogram.server import listening
from emogram.server.documentation import answers, problems
from emogram.server.intake import Name, NameHeader, body_form, taken_in
from emogram.server.listening import Answer
from emogram.server.office import office_of
from emogram.server.problems import Problem
from emogram.server.schemas import PredictAnswer, TimelineAnswer
from emogram.server.work import while_wanted

router = APIRouter(prefix="/v1", tags=["recognition"])

REFUSALS = (401, 403, 408, 413, 415, 421, 422, 429, 500, 503, 504)
"""What any endpoint that takes recordings may answer instead."""


class Format(StrEnum):
    """How a timeline is written."""

    JSON = "json"
    CSV = "csv"
    SRT = "srt"
    VTT = "vtt"
    AUDACITY = "audacity"


_TYPES = {
    Format.CSV: "text/csv",
    Format.SRT: "application/x-subrip",
    Format.VTT: "text/vtt",
    Format.AUDACITY: "text/plain",
}
_TIMELINE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The timeline.",
        "model": TimelineAnswer,
        "content": {name: {"schema": {"type": "string"}} for name in _TYPES.values()},
    }
}


@router.post(
    "/predict",
    summary="The emotion of recordings",
    response_model=None,
    responses=answers(PredictAnswer, *REFUSALS),
    openapi_extra=body_form(several=True),
)
async def predict(
    request: Request,
    name: Name = None,
    filename: NameHeader = None,
    explain: Annotated[
        bool,
        Query(description="Say which part of the spectrogram spoke for it; costs some hundred predictions."),
    ] = False,
) -> Response:
    """Any format, rate, length and number of channels that libsndfile reads.

    One recording that cannot be used is a problem with status 422; among several, its error stands in its place.
    """
    office = office_of(request)
    async with taken_in(request, name, filename) as intake:
        recognizer = office.serving.recognizer
        works = [
            listening.prediction(recognizer, upload, office.settings.max_audio_s, explained=explain)
            for upload in intake.uploads
        ]
        heard = await while_wanted(request, intake.deadline, office.desk.run(works))
    office.count(heard, "predict")
    if len(heard) == 1 and isinstance(heard[0], AudioError):
        raise unusable(heard[0])
    results = [_fields(answer) for answer in heard]
    return JSONResponse({"model": recognizer.info.name, "results": results})


@router.post(
    "/timeline",
    summary="When which emotion is spoken",
    response_model=None,
    responses=_TIMELINE_CONTENT | problems(*REFUSALS),
    openapi_extra=body_form(several=False),
)
async def timeline(
    request: Request,
    name: Name = None,
    filename: NameHeader = None,
    form: Annotated[Format, Query(alias="format", description="How to write it.")] = Format.JSON,
) -> Response:
    """The stretches of speech in one recording, cut where the emotion changes."""
    office = office_of(request)
    async with taken_in(request, name, filename) as intake:
        work = listening.timeline(office.serving.recognizer, intake.only(), office.settings.max_audio_s)
        [answer] = await while_wanted(request, intake.deadline, office.desk.run([work]))
    office.count([answer], "timeline")
    if isinstance(answer, AudioError):
        raise unusable(answer)
    if form is Format.JSON:
        return JSONResponse(answer.to_dict())
    return Response(_text(answer, form), media_type=_TYPES[form])


def unusable(error: AudioError) -> Problem:
    """The problem of a recording that cannot be used."""
    return Problem(422, "unusable_audio", str(error), members={"file": error.source})


def _text(answer: Timeline, form: Format) -> str:
    written = {
        Format.CSV: answer.to_csv,
        Format.SRT: answer.to_srt,
        Format.VTT: answer.to_vtt,
        Format.AUDACITY: answer.to_audacity,
    }
    return written[form]()


def _fields(answer: Answer | AudioError) -> dict[str, Any]:
    if isinstance(answer, AudioError):
        return {"file": answer.source, "error": f"{answer.problem}; {answer.remedy}"}
    return answer.to_dict()
