"""Rows of the matrix, judged on invented observations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.endpoint import Endpoint
from fixtures.own_targets import up_to_id
from fixtures.role_matrix import DENIALS, NOBODY, TO_THE_SIGN_IN, Cell, Row, alive_callers, judged

ROLES = ("admin", "clerk", "visitor")


def endpoint(method: str = "GET", path: str = "/orders", **more: object) -> Endpoint:
    kind = "list" if method == "GET" else "action"
    return Endpoint.model_validate(
        {"name": "orders", "method": method, "path": path, "kind": kind, "role": "clerk",
         "allowed": ["clerk", "admin"], **more}
    )  # fmt: skip


def cells(**seen: int | None) -> tuple[Cell, ...]:
    """Return the cells of a row, by caller; ``nobody`` is NOBODY."""
    return tuple(
        Cell("orders", NOBODY if who == "nobody" else who, who in {"clerk", "admin"}, status)
        for who, status in seen.items()
    )


def without_record(**seen: int | None) -> tuple[Cell, ...]:
    return tuple(replace(cell, own=False) for cell in cells(**seen))


def row(asked: Endpoint, seen: tuple[Cell, ...], alive: frozenset[str] | None = None) -> Row:
    known = frozenset(ROLES) if alive is None else alive
    return judged(asked, seen, alive=known, denied=DENIALS)


def test_a_row_as_promised() -> None:
    told = row(endpoint(), cells(admin=200, clerk=200, visitor=403, nobody=401))

    assert (told.wrong, told.open) == ((), ())


@pytest.mark.parametrize(
    ("seen", "wrong"),
    [
        ({"visitor": 200}, "visitor may not, and is let in: 200"),
        ({"visitor": 204}, "visitor may not, and is let in: 204"),
        ({"nobody": 200}, "nobody (no token) may not, and is let in: 200"),
        ({"nobody": 500}, "nobody (no token) may not, and is answered 500 instead of 401"),
        ({"visitor": 503}, "visitor may not, and is answered 503 instead of 403"),
        ({"admin": 403}, "admin may, and is answered 403"),
        ({"admin": 401}, "admin may, and is answered 401"),
        ({"clerk": 403}, "clerk may, and is answered 403"),
        ({"admin": 404}, "admin may, and is answered 404, where clerk is answered 200"),
    ],
)
def test_a_reading_row_that_is_wrong(seen: dict[str, int], wrong: str) -> None:
    told = row(endpoint(), cells(**{"admin": 200, "clerk": 200, "visitor": 403, "nobody": 401, **seen}))

    assert told.wrong == (wrong,)


@pytest.mark.parametrize("status", [404, 405, 422, 302])
def test_a_refusal_for_another_reason_shows_no_right(status: int) -> None:
    told = row(endpoint(), cells(admin=200, clerk=200, visitor=status, nobody=401))

    assert not told.wrong
    assert told.open == (f"visitor may not, and is answered {status} instead of 403",)


def test_what_is_hidden_is_refused_with_its_status_if_it_is_there() -> None:
    hidden = endpoint(denied_status=404)

    told = row(hidden, cells(admin=200, clerk=200, visitor=404, nobody=404))
    assert (told.wrong, told.open) == ((), ())
    told = row(hidden, cells(admin=200, clerk=200, visitor=200, nobody=401))
    assert told.wrong == ("visitor may not, and is let in: 200",)
    assert row(hidden, cells(admin=404, clerk=404, visitor=404, nobody=401)).open
    writing = endpoint("POST", "/orders/{id}/close", denied_status=404)
    assert row(writing, without_record(visitor=404)).open
    assert not row(writing, cells(visitor=404)).open


def test_another_tenant_must_not_learn_what_is_there() -> None:
    of_a_tenant = endpoint(hidden_from=["stranger"])

    def told(status: int | None, usual: int = 200, alive: frozenset[str] = frozenset({"stranger"})) -> Row:
        seen = cells(admin=usual, clerk=usual, visitor=403, nobody=401, stranger=status)
        return row(of_a_tenant, seen, alive)

    assert (told(404).wrong, told(404).open) == ((), ())
    assert told(403).wrong == (
        "stranger must not learn that it is there, and is answered 403 instead of 404",
    )
    assert told(401).wrong == (
        "stranger must not learn that it is there, and is answered 401 instead of 404",
    )
    assert "its token may be refused" in told(401, alive=frozenset()).open[0]
    assert told(200).wrong == ("stranger may not, and is let in: 200",)
    assert told(500).wrong == ("stranger may not, and is answered 500 instead of 404",)
    assert told(422).open
    assert told(404, usual=404).open


@pytest.mark.parametrize(("status", "is_wrong"), [(404, False), (403, True), (204, True), (409, True)])
def test_another_tenant_writes_to_nothing_that_it_knows_of(status: int, is_wrong: bool) -> None:
    of_a_tenant = endpoint("POST", "/orders/{id}/close", hidden_from=["stranger"])

    assert bool(row(of_a_tenant, cells(stranger=status, visitor=403)).wrong) is is_wrong
    assert row(of_a_tenant, without_record(stranger=404)).open


def test_an_endpoint_that_is_broken_for_all_says_nothing_about_rights() -> None:
    told = row(endpoint(), cells(admin=500, clerk=500, visitor=500, nobody=401))

    assert not told.wrong
    assert len(told.open) == 3


def test_a_401_for_a_role_counts_only_where_its_token_is_good() -> None:
    seen = cells(admin=200, clerk=200, visitor=401, nobody=401)

    assert row(endpoint(), seen).open == ()
    assert "its token may be refused" in row(endpoint(), seen, alive_callers(seen)).open[0]


def test_a_cookie_is_refused_by_a_way_to_the_sign_in() -> None:
    seen = cells(admin=200, clerk=200, visitor=403, nobody=302)
    told = judged(endpoint(), seen, alive=frozenset(ROLES), denied=DENIALS | TO_THE_SIGN_IN)

    assert (told.wrong, told.open) == ((), ())


def with_error(caller: str, *, may: bool, status: int = 200) -> Cell:
    return Cell("orders", caller, may, status, error="errors is [...]")


def test_a_refusal_may_be_an_error_in_a_good_answer_where_the_release_says_so() -> None:
    kept_out = (with_error("visitor", may=False), with_error(NOBODY, may=False))
    told = row(endpoint("POST", denied_status=200), (*cells(admin=200, clerk=200), *kept_out))
    assert (told.wrong, told.open) == ((), ())

    told = row(endpoint("POST", denied_status=200), cells(clerk=200, visitor=200, nobody=200))
    assert [each.rpartition(" may not")[2] for each in told.wrong] == [", and is let in: 200"] * 2

    told = row(endpoint(), (*cells(clerk=200), with_error("visitor", may=False)))
    (wrong,) = told.wrong
    assert wrong.startswith("visitor may not, and is answered 200 with an error instead of 403: errors is")


def test_an_error_in_a_good_answer_is_no_access() -> None:
    told = row(endpoint(), (*cells(clerk=200), with_error("admin", may=True)))
    assert told.wrong == ("admin may, and is answered 200 with an error: errors is [...]",)

    told = row(endpoint(), (with_error("clerk", may=True), with_error("admin", may=True)))
    assert not told.wrong  # it is broken for its own role: another check's matter


@pytest.mark.parametrize("status", [302, 400, 403, 419, 422])
def test_a_request_without_its_csrf_token_is_refused_in_many_ways(status: int) -> None:
    told = row(endpoint("POST"), (Cell("orders", "clerk", may=False, status=status, forged=True),))

    assert (told.wrong, told.open) == ((), ())


def test_a_request_without_its_csrf_token_that_passes_is_found() -> None:
    told = row(endpoint("POST"), (Cell("orders", "clerk", may=False, status=201, forged=True),))

    assert told.wrong == ("clerk, without the CSRF token, may not, and is let in: 201",)


@pytest.mark.parametrize("status", [200, 400, 404, 409, 422, 500])
def test_writing_on_an_own_record_is_refused_for_rights_or_wrong(status: int) -> None:
    told = row(endpoint("POST"), cells(visitor=status, nobody=401))

    assert len(told.wrong) == 1


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_writing_without_a_record_shows_nothing_but_a_refusal(status: int) -> None:
    told = row(endpoint("POST"), without_record(visitor=status, nobody=401))

    assert not told.wrong
    assert len(told.open) == 1


def test_being_let_in_is_wrong_without_a_record_too() -> None:
    assert row(endpoint("POST"), without_record(visitor=202, nobody=401)).wrong


def test_what_a_role_is_shown_has_to_keep_the_contract() -> None:
    seen = list(cells(admin=200, clerk=200, visitor=403, nobody=401))
    seen[0] = replace(seen[0], broken=("has no list as its body", "and more"))

    (wrong,) = row(endpoint(), tuple(seen)).wrong
    assert wrong == "admin may, and is shown what breaks the contract: has no list as its body; and more"


def test_a_public_endpoint_lets_in_anybody() -> None:
    public = Endpoint.model_validate({"name": "about", "method": "GET", "path": "/about", "kind": "read"})

    assert not row(public, (Cell("about", NOBODY, may=True, status=200),)).wrong
    assert row(public, (Cell("about", NOBODY, may=True, status=401),)).wrong


@pytest.mark.parametrize(
    ("path", "upto"),
    [
        ("/tasks/{id}", "/tasks/"),
        ("/tasks/{id}/approve", "/tasks/"),
        ("/tenants/{tenant}/tasks/{id}/approve", "/tenants/{tenant}/tasks/"),
        ("/tasks", "/tasks (no id)"),
    ],
)
def test_where_the_id_stands(path: str, upto: str) -> None:
    values = {"tenant": "acme"} if "{tenant}" in path else {}

    assert up_to_id(endpoint("POST", path, path_values=values)) == upto
