"""From an environment, a release and a profile to the plan of a load; no request is sent here."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fixtures.filling import open_placeholders
from fixtures.load_profile import Budget, Capacity, Closed, Open
from fixtures.observation import CannotObserve
from fixtures.placeholders import fill
from load.plan import Life, Plan, Request, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fixtures.endpoint import Endpoint
    from fixtures.environment import Environment
    from fixtures.load_profile import Load, Mix
    from fixtures.release import Release
    from fixtures.secrets import SecretRef

_SAFE = frozenset({"GET", "HEAD"})
_A_DAY_S = 86_400.0
_EXPLORING = Closed(mode="closed", users=1, duration_s=_A_DAY_S - 1, think_time_s=1)
_LATE_SHARE_OF_LIMIT = 0.1  # an idle generator that is later than this would be seen in the p95


def allowed(load: Load | None) -> tuple[Load, Budget, Closed | Open | Capacity]:
    """Return the load table, its budget and its profile.

    Raises:
        CannotObserve: there is no load table, no budget in it, or no profile. No budget, no load.
    """
    if load is None or load.budget is None:
        raise CannotObserve(
            "putting load on the target",
            "no load budget in the environment",
            remedy="agree on one with the owner of the target and write it down: [load.budget] max_users, "
            "max_rate, max_duration_s",
        )
    if load.profile not in load.profiles:
        raise CannotObserve(
            "putting load on the target",
            f"no profile {load.profile!r} in the environment",
            remedy="describe the load: [load.profiles.default]",
        )
    return load, load.budget, load.profiles[load.profile]


def of_release(
    environment: Environment,
    release: Release,
    profile: Closed | Open | Capacity,
    budget: Budget,
    *,
    base_url: str,
    ca_file: str | None,
    generators: int,
    mark: str,
    reveal: Callable[[SecretRef], str],
) -> Plan:
    """Return the plan of a profile on a release.

    Args:
        environment: where.
        release: what is asked for.
        profile: in which rhythm.
        budget: the most that is allowed.
        base_url: the address of the interface, with embedded values resolved.
        ca_file: likewise.
        generators: processes or workers that take part.
        mark: what records of the run carry.
        reveal: resolves a secret.

    Raises:
        CannotObserve: the profile names what is not there, or may not be done.
    """
    values = {"mark": mark, **{f"sentinel:{name}": value for name, value in environment.sentinels.items()}}
    requests, listings = _requests(release, profile, values)
    lives = tuple(_lives(environment, release, profile, values))
    if not requests and not lives:
        raise CannotObserve("planning the load", "the release has no endpoint that is safe to repeat",
                            remedy="name endpoints in the profile's mix")  # fmt: skip
    _within(budget, profile, requests, lives)
    roles = {each.role for each in (*requests, *listings, *(life.create for life in lives)) if each.role}
    _sign_in_alone(release, roles)
    told, secrets = _roles(environment, roles, reveal)
    secret_headers: dict[str, str] = {}
    if environment.rate.verification:
        reference = environment.rate.verification.value
        secret_headers[environment.rate.verification.header] = str(reference)
        secrets[str(reference)] = reveal(reference)
    return Plan(
        base_url=base_url,
        ca_file=ca_file,
        headers=dict(release.headers),
        secret_headers=secret_headers,
        roles=told,
        sign_in=release.sign_in.model_dump(mode="json") if release.sign_in else None,
        authorization=release.authorization("{token}") if roles else ("", ""),
        requests=requests,
        listings=listings,
        lives=lives,
        max_rate=budget.max_rate,
        timeout_s=environment.limits.request_timeout_s,
        max_bytes=environment.limits.response_max_bytes,
        late_ms=max(1.0, _LATE_SHARE_OF_LIMIT * environment.limits.p95_ms),
        generators=generators,
        secrets=secrets,
        **shape(profile, budget),
    )


def _sign_in_alone(release: Release, roles: Iterable[str]) -> None:
    """See that load users can sign in as all of these roles: in the usual way, and by one request.

    Raises:
        CannotObserve: they cannot.
    """
    for role in sorted(roles):
        how = release.sign_in_of(role)
        more = "a CSRF token" if how and how.csrf else "HTTP Basic" if how and how.basic else ""
        if how is not release.sign_in or more:
            got = f"{role} signs in {f'with {more}' if more else 'as other_sign_ins say'}"
            remedy = "load users cannot; name endpoints of other roles, or public ones, in the profile's mix"
            raise CannotObserve("planning the load", got, remedy=remedy)


def _within(
    budget: Budget,
    profile: Closed | Open | Capacity,
    requests: tuple[Request, ...],
    lives: tuple[Life, ...],
) -> None:
    """See that a profile keeps the budget with the removals of its records, which are requests too.

    Raises:
        CannotObserve: it does not.
    """
    if not isinstance(profile, Open) or not lives or budget.max_rate is None:
        return
    writing = sum(life.weight for life in lives)
    share = writing / (writing + sum(request.weight for request in requests))
    most = max(stage.rate for stage in profile.stages) * (1 + share)
    if most > budget.max_rate:
        got = f"{most:,.1f} requests per second with the removals, max_rate is {budget.max_rate:g}"
        raise CannotObserve("planning the load", got, remedy="lower the rate, or the weight of the writes")


def shape(profile: Closed | Open | Capacity, budget: Budget) -> dict[str, Any]:
    """Return the part of a plan that says how many, when, and how long."""
    match profile:
        case Closed():
            warm_up_s = float(-int(-max(profile.warm_up_s, profile.users / profile.spawn_rate) // 1))
            end_s = warm_up_s + profile.duration_s
            timing = {
                "mode": "closed",
                "users": profile.users,
                "spawn_rate": float(profile.spawn_rate),
                "think_s": profile.think_between_s,
                "warm_up_s": warm_up_s,
                "end_s": end_s,
            }
        case Open():
            stages = tuple(
                Stage(each.kind, float(each.rate), float(each.duration_s)) for each in profile.stages
            )
            timing = {
                "mode": "open",
                "users": profile.users or budget.max_users,
                "stages": stages,
                "warm_up_s": float(sum(each.duration_s for each in stages if each.kind == "warm_up")),
                "end_s": float(sum(each.duration_s for each in stages)),
            }
        case Capacity():
            timing = {
                "mode": "open",
                "users": profile.users or budget.max_users,
                "stages": (Stage("steady", float(profile.start_rate), float(profile.step_s)),),
                "end_s": float(profile.step_s),
            }
    if profile.until_decided:
        timing["end_s"] = float(budget.max_duration_s)
    return timing


def declared_s(profile: Closed | Open | Capacity) -> float:
    """Return the end of the declared load, seconds from its start; ``until_decided`` may go on beyond it."""
    unlimited = Budget(max_users=1, max_duration_s=_A_DAY_S)
    return float(shape(profile.model_copy(update={"until_decided": False}), unlimited)["end_s"])


def request_of(endpoint: Endpoint, values: Mapping[str, object], weight: int = 1) -> Request:
    """Return an endpoint of the release as a request; what remains in braces is to be an id.

    Raises:
        CannotObserve: it needs a sentinel that the environment does not have.
    """
    try:
        query = {name: fill(value, values) for name, value in endpoint.query.items()}
        parts = {name: fill(value, values) for name, value in endpoint.path_values.items()}
    except KeyError as error:
        raise CannotObserve(
            "planning the load", f"{endpoint.name} needs {error.args[0]}", remedy="add it under [sentinels]"
        ) from None
    path = endpoint.path
    for name, value in parts.items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    return Request(
        name=endpoint.name,
        method=endpoint.method,
        path=path,
        weight=weight,
        role=endpoint.role,
        status=endpoint.status,
        content_type=endpoint.content_type.partition(";")[0].strip().lower(),
        query=urlencode(query),
        ids_from=endpoint.ids_from,
        id_field=endpoint.id_field,
        list_field=endpoint.list_field,
        keyed=endpoint.keyed,
    )


def _requests(
    release: Release, profile: Mix, values: Mapping[str, object]
) -> tuple[tuple[Request, ...], tuple[Request, ...]]:
    """Return what users ask for, and the listings that give ids for it."""
    by_name = {endpoint.name: endpoint for endpoint in release.endpoints}
    weights = profile.mix or {
        endpoint.name: 1
        for endpoint in release.endpoints
        if endpoint.method in _SAFE
        and endpoint.change != "removed"
        and (
            set(endpoint.placeholders) <= endpoint.path_values.keys()
            or (endpoint.ids_from and by_name[endpoint.ids_from].kind == "list")
        )
        and not _is_nested(endpoint, by_name)
    }
    chosen = []
    for name, weight in weights.items():
        endpoint = by_name.get(name)
        if endpoint is None:
            raise CannotObserve(
                "planning the load", f"the release has no endpoint {name}", remedy="correct the mix"
            )
        if endpoint.method not in _SAFE:
            raise CannotObserve(
                "planning the load",
                f"{endpoint.method} {name} {'has a body' if endpoint.read_only else 'writes'}, "
                "and a mix is repeated at will",
                remedy="name what is read by GET"
                if endpoint.read_only
                else "name an own record under writes instead",
            )
        if endpoint.ids_from and by_name[endpoint.ids_from].kind != "list":
            raise CannotObserve(
                "planning the load",
                f"the ids of {name} are in {endpoint.ids_from}, which is no list",
                remedy="leave it out of the mix",
            )
        if _is_nested(endpoint, by_name):
            raise CannotObserve(
                "planning the load",
                f"the path of {name} takes the ids of several lists, one within the other",
                remedy="leave it out of the mix, or give it path_values for all of them but one",
            )
        chosen.append(request_of(endpoint, values, weight))
    wanted = {(each.ids_from, each.id_field) for each in chosen if each.needs_id and each.ids_from}
    listings = (replace(request_of(by_name[name], values), id_field=field) for name, field in sorted(wanted))
    return tuple(chosen), tuple(listings)


def _is_nested(endpoint: Endpoint, by_name: Mapping[str, Endpoint]) -> bool:
    """Return whether the list that gives its ids needs an id itself."""
    return endpoint.ids_from is not None and bool(open_placeholders(by_name[endpoint.ids_from]))


def _lives(
    environment: Environment, release: Release, profile: Mix, values: Mapping[str, object]
) -> Iterable[Life]:
    for name, weight in profile.writes.items():
        if environment.writes == "never":
            raise CannotObserve(
                "planning the load",
                f"the profile writes {name}, the environment says writes = never",
                remedy="leave writes out of the profile, or allow them",
            )
        record = release.records.get(name)
        if record is None or record.delete is None or record.id_header:
            got = "not known to the release, or not one that a user can remove by the id in its body"
            raise CannotObserve(
                "planning the load", f"the record {name} is {got}", remedy="correct the profile"
            )
        create = release.endpoint(record.create)
        try:
            body = fill(record.body, values)
        except KeyError as error:
            raise CannotObserve(
                "planning the load",
                f"the record {name} needs {error.args[0]}",
                remedy="add it under [sentinels]",
            ) from None
        assert isinstance(body, dict)
        yield Life(
            name=name,
            weight=weight,
            create=request_of(create, values),
            delete=replace(request_of(release.endpoint(record.delete), values), ids_from=None),
            body=body,
            id_field=".".join(part for part in (create.object_field, record.id_field) if part),
        )


def _roles(
    environment: Environment, wanted: Iterable[str], reveal: Callable[[SecretRef], str]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return the roles with references, and the secrets by reference."""
    told: dict[str, dict[str, Any]] = {}
    secrets: dict[str, str] = {}
    for name in sorted(wanted):
        role = environment.roles.get(name)
        if role is None:
            raise CannotObserve(
                "planning the load", f"no credentials for the role {name}", remedy=f"add [roles.{name}]"
            )
        references = {"password": role.password, "token": role.token}
        told[name] = {
            "username": role.username,
            **{key: str(reference) if reference else None for key, reference in references.items()},
            "values": {key: str(reference) for key, reference in role.values.items()},
        }
        for reference in (role.password, role.token, *role.values.values()):
            if reference:
                secrets[str(reference)] = reveal(reference)
    return told, secrets


def exploration(env: str, version: str, host: str) -> Plan:
    """Return a plan for Locust on its own: endless, closed, in the rhythm of its web interface.

    Args:
        env: name or path of an environment, or an empty string: only endpoints that need no role.
        version: version or path of a release; empty: the environment's, or the newest there is.
        host: the address, instead of the environment's.

    Raises:
        ConfigError: a file cannot be used.
        CannotObserve: the plan cannot be made.
    """
    from fixtures import configuration, release  # noqa: PLC0415 - only here
    from fixtures.secrets import Vault  # noqa: PLC0415

    if env:
        chosen = configuration.choose(env, version or None, Path.cwd())
        here, it = chosen.environment, chosen.release
        base_url, ca_file = host or (here.api.url if here.api else ""), here.api.ca_file if here.api else None
        return of_release(
            here,
            it,
            _EXPLORING,
            Budget(max_users=1, max_duration_s=_A_DAY_S),
            base_url=base_url,
            ca_file=ca_file,
            generators=1,
            mark="gonogo-exploration",
            reveal=Vault(None, _no_embedded).reveal,
        )
    file = find_release(version)
    it = release.load(file)
    public = tuple(
        request_of(each, {})
        for each in it.endpoints
        if each.role is None and each.method in _SAFE and not each.placeholders and each.change != "removed"
    )
    health = Request("health", "GET", it.health.path, status=it.health.status)
    return Plan(
        host, (health, *public), "closed", 1, end_s=_A_DAY_S, think_s=(1.0, 1.0), headers=dict(it.headers)
    )


def find_release(version: str) -> Path:
    """Return the release file of a version or path; empty: the one with the highest version."""
    from fixtures.configuration import RELEASES  # noqa: PLC0415 - only here
    from fixtures.tomlfile import find  # noqa: PLC0415

    if version:
        return find(version, RELEASES, what="release", option="--release", base=Path.cwd())
    return max(
        RELEASES.glob("*.toml"), key=lambda file: [int(part) for part in re.findall(r"[0-9]+", file.stem)]
    )


def _no_embedded(name: str) -> str:
    raise CannotObserve(
        f"embedded:{name}", "known only within a run of pytest", remedy="use a deployed environment"
    )
