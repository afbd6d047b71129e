"""`/v1/recordings`: the real-life test. A clip, the emotion that was meant, and whether it was recognised."""

import asyncio
import dataclasses
import threading
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emogram.errors import AudioError
from emogram.recognition.recordings import Recording, Recordings
from emogram.server.documentation import answers
from emogram.server.intake import Name, NameHeader, body_form, taken_in
from emogram.server.listening import Answer, decode
from emogram.server.office import Office, office_of
from emogram.server.problems import Problem
from emogram.server.recognising import REFUSALS, unusable
from emogram.server.schemas import RecordingAnswer, TallyAnswer
from emogram.server.uploads import Upload
from emogram.server.work import AbandonedError, Work, while_wanted

router = APIRouter(prefix="/v1", tags=["real-life test"])


@router.post(
    "/recordings",
    summary="Keep a clip and the emotion that was meant",
    response_model=None,
    responses=answers(RecordingAnswer, 404, *REFUSALS),
    openapi_extra=body_form(several=False),
)
async def record(
    request: Request,
    emotion: Annotated[str, Query(max_length=100, description="The one that was meant.")],
    name: Name = None,
    filename: NameHeader = None,
    speaker: Annotated[str | None, Query(max_length=100, description="Who speaks, as a folder may be called.")] = None,
) -> Response:
    """Recognise a clip, and keep it with both emotions in the folder that the server was started with."""
    office = office_of(request)
    folder = _folder(office)
    async with taken_in(request, name, filename) as intake:
        work = _kept(office, intake.only(), folder, emotion, speaker)
        [kept] = await while_wanted(request, intake.deadline, office.desk.run([work]))
    if isinstance(kept, AudioError):
        office.count([kept], "recordings")
        raise unusable(kept)
    answer, recording, so_far = kept
    office.count([answer], "recordings")
    told = {"prediction": answer.to_dict(), "intended": recording.emotion, "agrees": recording.agrees}
    return JSONResponse(told | so_far)


@router.get(
    "/recordings",
    summary="The real-life test so far",
    response_model=None,
    responses=answers(TallyAnswer, 401, 404, 421, 500),
)
async def tally(request: Request) -> Response:
    """How often which emotion was recognised where which was meant."""
    folder = _folder(office_of(request))
    return JSONResponse(await asyncio.to_thread(_so_far, Recordings(folder)))


def _folder(office: Office) -> Path:
    if office.settings.recordings is None:
        raise Problem(404, "switched_off", "this server keeps no recordings; start it with --recordings DIR")
    return office.settings.recordings


def _kept(
    office: Office, upload: Upload, folder: Path, emotion: str, speaker: str | None
) -> Work[tuple[Answer, Recording, dict[str, Any]] | AudioError]:
    def work(abandoned: threading.Event) -> tuple[Answer, Recording, dict[str, Any]] | AudioError:
        recognizer, recordings = office.serving.recognizer, Recordings(folder)
        try:
            wave = decode(recognizer, upload, office.settings.max_audio_s, abandoned, allow_silent=False)
            prediction = dataclasses.replace(recognizer.predict(wave), file=upload.name)
        except AudioError as error:
            return error
        if abandoned.is_set():
            raise AbandonedError
        rate = recognizer.info.sample_rate
        recording = recordings.add(wave, rate, intended=emotion, prediction=prediction, speaker=speaker)
        return Answer(prediction), recording, _so_far(recordings)

    return work


def _so_far(recordings: Recordings) -> dict[str, Any]:
    agreeing, total = recordings.agreement()
    return {"tally": recordings.tally(), "total": total, "agreeing": agreeing}
