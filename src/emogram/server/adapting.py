"""`/v1/adaptation`: the model fitted to the clips of the real-life test, for everybody who uses this server."""

import threading
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emogram.errors import EmogramError
from emogram.server.bodies import Deadline
from emogram.server.documentation import answers
from emogram.server.office import Adapt, Adapted, Office, office_of
from emogram.server.problems import Problem
from emogram.server.schemas import AdaptationAnswer
from emogram.server.work import AbandonedError, Work, while_wanted

router = APIRouter(prefix="/v1", tags=["real-life test"])


@router.get(
    "/adaptation",
    summary="Whether the model was adapted, and what that is worth",
    response_model=None,
    responses=answers(AdaptationAnswer, 401, 404, 421),
)
async def adaptation(request: Request) -> Response:
    """What the last adaptation was worth; null while the model is as it was."""
    office = office_of(request)
    _adapter(office)
    return _told(office.serving.adapted)


@router.post(
    "/adaptation",
    summary="Adapt the model to the clips that are kept",
    response_model=None,
    responses=answers(AdaptationAnswer, 401, 403, 404, 409, 421, 422, 429, 500, 503, 504),
)
async def adapt(request: Request) -> Response:
    """Fit the last layer of the model that the server was started with to all clips, and answer with it from now on.

    The scores are of layers that were fitted to other clips, of other speakers where several are named.
    """
    office = office_of(request)
    deadline = Deadline(office.settings.deadline_s)
    try:
        [made] = await while_wanted(request, deadline, office.desk.run([_adapting(office, _adapter(office))]))
    except Problem as problem:
        if problem.code != "deadline":
            raise
        detail = (
            f"adapting took longer than {deadline.seconds:g} s; raise --deadline-s, or use emogram adapt on the folder"
        )
        raise Problem(504, "deadline", detail) from None
    return _told(made)


@router.delete(
    "/adaptation",
    summary="Go back to the model as it was",
    response_model=None,
    responses=answers(AdaptationAnswer, 401, 403, 404, 409, 421),
)
async def undo(request: Request) -> Response:
    """Answer with the model that the server was started with. The clips are kept."""
    office = office_of(request)
    _adapter(office)
    if not office.adapting.acquire(blocking=False):
        raise _busy()
    try:
        office.serve_original()
    finally:
        office.adapting.release()
    return _told(None)


def _told(adapted: Adapted | None) -> Response:
    return JSONResponse({"adapted": None if adapted is None else dict(adapted.facts)})


def _adapter(office: Office) -> Adapt:
    if office.adapt is None:
        raise Problem(404, "switched_off", "this server does not adapt its model; start it with --adapt")
    return office.adapt


def _busy() -> Problem:
    return Problem(409, "adapting", "the model is being adapted already; wait for that")


def _adapting(office: Office, adapt: Adapt) -> Work[Adapted]:
    folder = office.settings.recordings
    assert folder is not None

    def work(abandoned: threading.Event) -> Adapted:
        def go_on(*_: Any) -> None:
            if abandoned.is_set():
                raise AbandonedError

        if not folder.is_dir():
            raise Problem(422, "cannot_adapt", "no clips are kept yet; record some in the real-life test")
        if not office.adapting.acquire(blocking=False):
            raise _busy()
        try:
            made = adapt(folder, office.original.content, go_on)
            go_on()
            office.serve_adapted(made)
        except EmogramError as error:
            # Where the folder lies is nobody's business.
            told = str(error).replace(str(folder.absolute()), "recordings").replace(str(folder), "recordings")
            raise Problem(422, "cannot_adapt", told) from None
        finally:
            office.adapting.release()
        return made

    return work
