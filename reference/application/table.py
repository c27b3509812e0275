"""One endpoint as a value, and how a request to it is answered.

The service, the OpenAPI document and the metrics are all made from the same table of endpoints.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import psycopg
from pydantic import BaseModel, ValidationError
from starlette.responses import JSONResponse, Response

from reference.application import sessions
from reference.application.refusal import Refused

if TYPE_CHECKING:
    from starlette.requests import Request

    from reference.application.pool import Pool
    from reference.application.settings import Settings

Model = TypeVar("Model", bound=BaseModel)
LARGEST_IDENTIFIER = 2_147_483_647
log = logging.getLogger("reference")


@dataclass(frozen=True)
class Call:
    """One request, as a handler sees it; ``user`` is ``None`` on public endpoints only."""

    request: Request
    raw: bytes
    pool: Pool
    settings: Settings
    user: sessions.User | None

    def body(self, model: type[Model]) -> Model:
        """Return the validated JSON body; an empty one stands for an empty object."""
        return model.model_validate_json(self.raw or b"{}")

    def query(self, model: type[Model]) -> Model:
        """Return the validated query parameters."""
        return model.model_validate(dict(self.request.query_params))

    @property
    def id(self) -> int:
        """The ``{id}`` of the path."""
        number = int(self.request.path_params["id"])
        if number > LARGEST_IDENTIFIER:
            raise Refused(404, "There is no such record")
        return number


Handler: TypeAlias = Callable[[Call], Awaitable[BaseModel | Response | None]]


@dataclass(frozen=True)
class Endpoint:
    """One method of one path.

    Attributes:
        allowed: the roles that may call it; ``()`` is every signed-in user, ``None`` is everybody.
        status: the status of a success.
        takes: the JSON body, if there is one.
        filters: the query parameters, if there are any.
        gives: the JSON body of a success; ``None`` is an empty one.
        by_key: whether the API key of the board's screens is enough.
    """

    name: str
    method: str
    path: str
    handler: Handler
    allowed: tuple[str, ...] | None
    gives: type[BaseModel] | None
    status: int = 200
    takes: type[BaseModel] | None = None
    filters: type[BaseModel] | None = None
    by_key: bool = False

    async def answer(self, request: Request, pool: Pool, settings: Settings) -> Response:
        """Answer one request; whatever goes wrong becomes a JSON body with a ``detail``."""
        try:
            return await self.success(request, pool, settings)
        except Refused as refused:
            return problem(refused.status, refused.detail)
        except ValidationError as error:
            return problem(422, described(error))
        except psycopg.OperationalError:
            log.exception("the database does not answer")
            return problem(503, "The service is temporarily unavailable")
        except Exception:
            log.exception("%s %s failed", self.method, self.path)
            return problem(500, "Internal error")

    async def success(self, request: Request, pool: Pool, settings: Settings) -> Response:
        """Return what the handler answers."""
        raw = await request.body()
        if self.takes and raw and not is_json(request):
            raise Refused(415, "Send application/json")
        user = await self.user(request, pool, settings)
        result = await self.handler(Call(request, raw, pool, settings, user))
        if isinstance(result, Response):
            return result
        return json_answer(result, self.status) if result else Response(status_code=self.status)

    async def user(self, request: Request, pool: Pool, settings: Settings) -> sessions.User | None:
        """Return who calls, when the endpoint wants to know, and refuse who may not."""
        if self.allowed is None:
            return None
        key = request.headers.get("x-api-key")
        if self.by_key and key is not None:
            return sessions.screen_of(key, settings)
        user = await sessions.user_of(request.headers.get("authorization"), pool, settings)
        if self.allowed and user.role not in self.allowed:
            raise Refused(403, "Your role may not do this")
        return user


def json_answer(model: BaseModel, status: int = 200) -> Response:
    """Return a model as a JSON answer."""
    return Response(model.model_dump_json(), status, media_type="application/json")


def problem(status: int, detail: str) -> Response:
    """Return an answer that is not a success."""
    headers = {"WWW-Authenticate": "Bearer"} if status == sessions.UNAUTHORIZED else None
    return JSONResponse({"detail": detail}, status, headers)


def is_json(request: Request) -> bool:
    """Return whether the request says that its body is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "application/json"


def described(error: ValidationError) -> str:
    """Return what is wrong with the input, field by field, without repeating the input."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join((".".join(map(str, each["loc"])) or "body") + ": " + each["msg"] for each in problems)
