"""What the generators are told: one JSON object, made from environment and release by ``load.planning``.

It crosses to other processes as a file, and to other machines as a message of the Locust master; secrets stay
references in the message, and are looked up where they are needed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from fixtures import bodies

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Request:
    """One kind of request.

    Attributes:
        path: may hold one placeholder, which is filled with an id that ``ids_from`` lists.
        query: encoded, without the question mark.
        status: the only good one.
        id_field: dotted field of a listed record that holds the id.
        list_field: dotted field of the listing that holds the records; ``None``: the body is the list.
        keyed: the listing holds an object, whose names are the ids.
    """

    name: str
    method: str
    path: str
    weight: int = 1
    role: str | None = None
    status: int = 200
    content_type: str = ""
    query: str = ""
    ids_from: str | None = None
    id_field: str = "id"
    list_field: str | None = None
    keyed: bool = False

    @property
    def needs_id(self) -> bool:
        """Whether the path has a placeholder."""
        return "{" in self.path


def ids_of(body: object, listing: Request) -> list[str]:
    """Return the ids that the body of a listing shows."""
    records = body if listing.list_field is None else bodies.field(body, listing.list_field)
    if listing.keyed and isinstance(records, dict):
        return list(records)
    found = (
        [bodies.field(record, listing.id_field) for record in records] if isinstance(records, list) else []
    )
    return [str(each) for each in found if isinstance(each, str | int)]


@dataclass(frozen=True)
class Life:
    """A record that a user makes and removes again, at once."""

    name: str
    weight: int
    create: Request
    delete: Request
    body: dict[str, Any]
    id_field: str


@dataclass(frozen=True)
class Stage:
    """``rate`` requests per second for ``duration_s``."""

    kind: str
    rate: float
    duration_s: float


@dataclass(frozen=True)
class Plan:
    """Everything that a generator needs.

    Attributes:
        base_url: scheme, host and port, without a path.
        ca_file: certificate authority of the target, or ``None`` for the system's.
        headers: sent with every request, as they are.
        secret_headers: likewise; a value is a reference, and a key of ``secrets``.
        roles: name to username, and to the key of its password or token in ``secrets``.
        sign_in: the release's sign-in, as its file has it, or ``None``.
        authorization: name and value of the header that proves a role; ``{token}`` stands for its token.
        listings: endpoints that are asked once for ids, by name.
        mode: ``"closed"`` or ``"open"``.
        users: in all generators together.
        think_s: shortest and longest pause (closed).
        stages: (open).
        warm_up_s: samples before it are not judged.
        end_s: no request is begun after it.
        max_rate: requests per second that all generators together never exceed (closed), or ``None``.
        late_ms: an idle generator that sends later than this is late.
        generators: how many take part.
        secrets: reference to secret. Only in the file for this machine, never in a message.
    """

    base_url: str
    requests: tuple[Request, ...]
    mode: str
    users: int
    end_s: float
    warm_up_s: float = 0.0
    spawn_rate: float = 10.0
    think_s: tuple[float, float] = (0.0, 0.0)
    stages: tuple[Stage, ...] = ()
    lives: tuple[Life, ...] = ()
    listings: tuple[Request, ...] = ()
    ca_file: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    secret_headers: dict[str, str] = field(default_factory=dict)
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    sign_in: dict[str, Any] | None = None
    authorization: tuple[str, str] = ("Authorization", "Bearer {token}")
    timeout_s: float = 10.0
    max_bytes: int = 10_000_000
    max_rate: float | None = None
    late_ms: float = 20.0
    generators: int = 1
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def to_json(self) -> str:
        """Return the plan with its secrets."""
        return json.dumps(asdict(self))

    def without_secrets(self) -> Plan:
        """Return what may leave this machine."""
        return replace(self, secrets={})

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what ``to_json`` wrote."""
        told = json.loads(text)
        told["requests"] = tuple(Request(**each) for each in told["requests"])
        told["listings"] = tuple(Request(**each) for each in told["listings"])
        told["stages"] = tuple(Stage(**each) for each in told["stages"])
        told["authorization"] = tuple(told["authorization"])
        told["think_s"] = tuple(told["think_s"])
        told["lives"] = tuple(
            Life(**{**each, "create": Request(**each["create"]), "delete": Request(**each["delete"])})
            for each in told["lives"]
        )
        return cls(**told)


def arrivals_s(
    stages: tuple[Stage, ...], end_s: float, index: int = 0, generators: int = 1
) -> Iterator[float]:
    """Yield when each request of one generator is due, in seconds from the start.

    The requests of all generators together are evenly spaced; the last stage goes on until ``end_s``.
    """
    yield from islice(_all_arrivals_s(stages, end_s), index, None, generators)


def _all_arrivals_s(stages: tuple[Stage, ...], end_s: float) -> Iterator[float]:
    start = 0.0
    for number, stage in enumerate(stages):
        end = end_s if number == len(stages) - 1 else min(start + stage.duration_s, end_s)
        count = 0
        while (due := start + count / stage.rate) < end - 1e-9:
            yield due
            count += 1
        start = end


def intended_requests(stages: tuple[Stage, ...], start_s: float, end_s: float) -> float:
    """Return how many requests the stages call for between two moments; the last stage goes on."""
    total, begun = 0.0, 0.0
    for number, stage in enumerate(stages):
        ends = begun + stage.duration_s if number < len(stages) - 1 else max(end_s, begun + stage.duration_s)
        total += stage.rate * max(0.0, min(ends, end_s) - max(begun, start_s))
        begun = ends
    return total
