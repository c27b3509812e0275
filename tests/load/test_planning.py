from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from fixtures import configuration, release
from fixtures.environment import Environment
from fixtures.load_profile import Budget, Closed, Load, Open
from fixtures.observation import CannotObserve
from load.plan import Request, ids_of
from load.planning import allowed, declared_s, exploration, find_release, of_release, shape
from tests.systems.enterprise import RELEASE

if TYPE_CHECKING:
    from load.plan import Plan

BUDGET = Budget(max_users=100, max_rate=200, max_duration_s=600)
STEADY = {"mode": "open", "stages": [{"kind": "steady", "rate": 100, "duration_s": 60}]}


def stage(kind: str, rate: float) -> dict[str, Any]:
    return {"kind": kind, "rate": rate, "duration_s": 1}


@pytest.fixture(scope="module")
def local() -> configuration.Configuration:
    return configuration.choose("local", None, Path.cwd())


def planned(local: configuration.Configuration, profile: Closed | Open, **environment: Any) -> Plan:
    return of_release(
        local.environment.model_copy(update=environment), local.release, profile, BUDGET, base_url="https://x",
        ca_file=None, generators=1, mark="gonogo-x", reveal=lambda ref: f"secret of {ref}",
    )  # fmt: skip


def closed(**more: Any) -> Closed:
    return Closed.model_validate({"mode": "closed", "users": 10, "duration_s": 60} | more)


def opened(**more: Any) -> Open:
    return Open.model_validate(STEADY | more)


# ---------------------------------------------------------------- the load table


def test_no_budget_is_no_load() -> None:
    for load in (None, Load(), Load.model_validate({"profiles": {"default": STEADY}})):
        with pytest.raises(CannotObserve, match="no load budget"):
            allowed(load)


def test_no_profile_is_no_load() -> None:
    with pytest.raises(CannotObserve, match="no profile 'default'"):
        allowed(Load(budget=BUDGET))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"profiles": {"default": {"mode": "closed", "users": 101, "duration_s": 10}}}, "101 users"),
        ({"profiles": {"default": STEADY | {"users": 101}}}, "101 users"),
        ({"profiles": {"default": {"mode": "closed", "users": 10, "duration_s": 600}}}, "601 s"),
        ({"profiles": {"default": {"mode": "open", "stages": [stage("soak", 201)]}}},
         "201 requests per second"),
        ({"profiles": {"default": STEADY}, "budget": {"max_users": 1, "max_duration_s": 600}}, "a rate"),
        ({"profiles": {"other": STEADY}}, "default, which is not declared"),
        ({"profiles": {"default": STEADY}, "processes": 2, "workers": {"expected": 2}}, "beside workers"),
        ({"profiles": {"default": {"mode": "open", "stages": [stage("warm_up", 1)]}}},
         "found warm_up"),
        ({"profiles": {"default": {"mode": "closed", "users": 1, "duration_s": 1, "think_time_s": [2, 1]}}},
         "found"),
        ({"profiles": {"default": {"mode": "open", "stages": []}}}, ""),
        ({"profiles": {"default": {"mode": "sideways"}}}, ""),
        ({"budget": {"max_users": 0, "max_duration_s": 1}}, ""),
        ({"typo": 1}, ""),
    ],
)  # fmt: skip
def test_a_load_table_that_cannot_be_is_refused(table: dict[str, Any], words: str) -> None:
    budget = {"max_users": 100, "max_rate": 200, "max_duration_s": 600}

    with pytest.raises(ValidationError) as refused:
        Load.model_validate({"budget": budget} | table)

    assert words in str([error.get("ctx") for error in refused.value.errors()])


def test_a_load_table_that_can_be_is_accepted() -> None:
    load = Load.model_validate(
        {
            "budget": {"max_users": 100, "max_rate": 200, "max_duration_s": 600},
            "profiles": {
                "default": STEADY,
                "browsing": {"mode": "closed", "users": 5, "duration_s": 30, "think_time_s": [0.5, 2]},
                "knee": {"mode": "capacity", "start_rate": 10},
            },
            "limits": {"list_boms": {"p95_ms": 100}},
            "workers": {"expected": 2, "start": ["ssh host worker {port}"]},
        }
    )

    assert allowed(load)[2] == load.profiles["default"]


# ---------------------------------------------------------------- the plan


def test_the_warm_up_is_never_shorter_than_it_takes_to_start_all_users() -> None:
    told = shape(closed(users=25, spawn_rate=10, warm_up_s=1), BUDGET)

    assert told["warm_up_s"] == 3
    assert told["end_s"] == 63


def test_until_decided_goes_on_to_the_end_of_the_budget_at_most() -> None:
    profile = opened(until_decided=True)

    assert shape(profile, BUDGET)["end_s"] == 600
    assert declared_s(profile) == 60


def test_every_safe_endpoint_is_asked_for_by_default(local: configuration.Configuration) -> None:
    plan = planned(local, closed())

    safe = {endpoint.name for endpoint in local.release.endpoints if endpoint.method in {"GET", "HEAD"}}
    assert {request.name for request in plan.requests} == safe
    assert all(request.method == "GET" for request in plan.requests)
    assert {"list_boms", "list_orders"} <= {listing.name for listing in plan.listings}
    assert not plan.lives


def test_ids_are_looked_up_as_each_list_shows_them(
    local: configuration.Configuration, tmp_path: Path
) -> None:
    (tmp_path / "release.toml").write_text(RELEASE)
    purchasing = release.load(tmp_path / "release.toml")
    somebody = next(iter(local.environment.roles.values()))
    plan = planned(replace(local, release=purchasing), closed(), roles={"buyer": somebody})

    found = {each.name: (each.id_field, each.keyed) for each in plan.listings}
    assert found == {
        "orders": ("code", False),
        "suppliers": ("id", False),
        "recalls": ("id", False),
        "warehouses": ("id", True),
    }
    assert {request.ids_from for request in plan.requests} == {None, *found}


@pytest.mark.parametrize(
    ("listing", "body", "ids"),
    [
        (
            {"list_field": "data", "id_field": "key.no"},
            {"data": [{"key": {"no": 7}}, {}, {"key": None}]},
            ["7"],
        ),
        ({"keyed": True}, {"w 1": {"id": 5}, "w2": {}}, ["w 1", "w2"]),
        ({"keyed": True}, [{"id": 5}], ["5"]),
        ({}, {"detail": "x"}, []),
    ],
)
def test_ids_of_a_listing(listing: dict[str, Any], body: object, ids: list[str]) -> None:
    assert ids_of(body, Request("list", "GET", "/list", **listing)) == ids


def test_the_verification_identity_goes_along_by_reference(local: configuration.Configuration) -> None:
    plan = planned(local, closed())

    assert plan.secret_headers["X-Gonogo-Verification"] == "embedded:verification_key"
    assert plan.secrets["embedded:verification_key"] == "secret of embedded:verification_key"
    assert "secret of" not in plan.without_secrets().to_json()


def test_a_mix_is_what_is_asked_for(local: configuration.Configuration) -> None:
    plan = planned(local, closed(mix={"list_boms": 3}, writes={"order": 1}))

    assert [(request.name, request.weight) for request in plan.requests] == [("list_boms", 3)]
    (life,) = plan.lives
    assert life.body["notes"] == "gonogo-x"
    assert life.body["product_id"] == 9001
    assert set(plan.roles) == {"warehouse", "ppic_manager"}


@pytest.mark.parametrize(
    ("profile", "environment", "words"),
    [
        (closed(mix={"list_bom": 1}), {}, "no endpoint list_bom"),
        (closed(mix={"create_bom": 1}), {}, "writes"),
        (closed(writes={"order": 1}), {"writes": "never"}, "writes = never"),
        (closed(writes={"thing": 1}), {}, "not known to the release"),
        (closed(writes={"order": 1}), {"sentinels": {}}, "needs sentinel:product"),
        (closed(), {"roles": {}}, "no credentials for the role"),
        (opened(mix={"list_boms": 1}, writes={"order": 2},
                stages=[{"kind": "steady", "rate": 150, "duration_s": 10}]), {}, "with the removals"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_so(
    local: configuration.Configuration, profile: Closed | Open, environment: dict[str, Any], words: str
) -> None:
    with pytest.raises(CannotObserve, match=words):
        planned(local, profile, **environment)


@pytest.mark.parametrize(
    ("sign_in", "others", "words"),
    [
        ({"csrf": {"path": "/in", "input": "t", "header": "X-CSRF"}}, [], "clerk signs in with a CSRF token"),
        ({"basic": ["{username}", "{password}"]}, [], "clerk signs in with HTTP Basic"),
        ({"role": "chief"}, [{"role": "clerk"}], "clerk signs in as other_sign_ins say"),
    ],
)
def test_load_users_sign_in_in_the_usual_way_alone(
    local: configuration.Configuration, sign_in: dict[str, Any], others: list[dict[str, Any]], words: str
) -> None:
    how = {"path": "/in", "body": {"u": "{username}"}, "token": "t", "role": "clerk"}
    described = release.Release.model_validate(
        {
            "version": "1",
            "roles": ["clerk", "chief"],
            "health": {"path": "/", "text": "ok"},
            "sign_in": {**how, **sign_in},
            "other_sign_ins": [{**how, **other} for other in others],
            "endpoints": [
                {"name": "mine", "method": "GET", "path": "/mine", "kind": "list", "role": "clerk"}
            ],
        }
    )
    environment = Environment.model_validate(
        {
            "name": "tried",
            "release": "1",
            "identity": {"unproven": "a test"},
            "roles": {"clerk": {"username": "ann", "password": "env:PASSWORD"}},
        }
    )

    with pytest.raises(CannotObserve, match=words):
        planned(replace(local, environment=environment, release=described), closed())


def test_ids_that_stand_in_no_list_are_not_asked_for(local: configuration.Configuration) -> None:
    endpoints = tuple(
        each.model_copy(update={"ids_from": "read_order"} if each.name == "read_task" else {})
        for each in local.release.endpoints
    )
    told = replace(local, release=local.release.model_copy(update={"endpoints": endpoints}))

    assert "read_task" not in {request.name for request in planned(told, closed()).requests}
    with pytest.raises(CannotObserve, match="the ids of read_task are in read_order, which is no list"):
        planned(told, closed(mix={"read_task": 1}))


def test_exploration_without_an_environment_asks_only_for_what_is_public() -> None:
    plan = exploration("", "", "http://127.0.0.1:9")

    assert [request.name for request in plan.requests] == ["health"]
    assert plan.base_url == "http://127.0.0.1:9"
    assert not plan.roles
    assert release.load(find_release("")).version


def test_the_manual_s_example_is_valid() -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs" / "load.md").read_text()
    table, code = (
        re.findall(r"```toml\n(.*?)```", manual, re.DOTALL)[0],
        re.findall(r"```python\n(.*?)```", manual, re.DOTALL)[0],
    )

    load = Load.model_validate(tomllib.loads(table)["load"])

    assert allowed(load)[2] == load.profiles["steady"]
    names: dict[str, Any] = {}
    exec(code.replace("judge_p95([", "found = judge_p95(["), names)  # noqa: S102 - our own manual
    assert names["found"] == "GO"
