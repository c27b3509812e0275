"""The healthy release keeps its contract: the green twin of every fault."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import psycopg
import pytest

from reference.seed import SENTINELS

if TYPE_CHECKING:
    import httpx

    from fixtures.embedded import Embedded
    from tests.reference.conftest import ClientOf

API = "/api/v1"
BOM = f"{API}/warehouse/bom"
ORDERS = f"{API}/ppic/manufacturing-orders"
CARDS = f"{API}/ppic/kanban/cards"
JAKARTA = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+07:00")


def bom(product: int = SENTINELS[0], **changes: Any) -> dict[str, Any]:
    body = {"product_id": product, "bom_type": "Manufacturing", "qty_output": 1, "revision": "A"}
    return body | changes


def new_order(ppic: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = ppic.post(ORDERS, json={"product_id": SENTINELS[1], "planned_quantity": 10} | changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


# ------------------------------------------------------------------ health and sessions


def test_health_says_what_is_served(anonymous: httpx.Client) -> None:
    answer = anonymous.get(f"{API}/health")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "version": "1.0.0",
        "commit": "5e55101280a6c1f4d2b7e93a8c0f6d1e2b3a4c5d",
        "environment": "local",
    }


@pytest.mark.parametrize("role", ["admin", "warehouse", "ppic_manager", "no_rights"])
def test_every_role_signs_in_with_a_short_lived_token(
    release: Embedded, client_of: ClientOf, role: str
) -> None:
    with client_of(release, role) as client:
        token = client.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})

        assert claims["role"] == role
        assert claims["exp"] - claims["iat"] == timedelta(minutes=15).total_seconds()
        assert client.get(f"{API}/auth/me").json() == {"username": claims["sub"], "role": role}


@pytest.mark.parametrize("username", ["admin", "no such user"])
def test_wrong_credentials_are_refused_alike(anonymous: httpx.Client, username: str) -> None:
    answer = anonymous.post(f"{API}/auth/login", json={"username": username, "password": "wrong"})

    assert answer.status_code == 401
    assert answer.json() == {"detail": "Wrong username or password"}


@pytest.mark.parametrize(
    ("key", "changes"),
    [("another key of sufficient length", {}), ("", {"alg": "none"})],
    ids=["forged", "none"],
)
def test_tokens_of_others_are_refused(anonymous: httpx.Client, key: str, changes: dict[str, str]) -> None:
    claims = {"sub": "admin", "role": "admin", "sid": "1", "typ": "access", "iat": 1, "exp": 4e9, "jti": "1"}
    token = jwt.encode(claims, key, changes.get("alg", "HS256"))

    assert anonymous.get(BOM, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_signing_out_ends_the_session_with_all_its_tokens(release: Embedded, client_of: ClientOf) -> None:
    with client_of(release) as client:
        credentials = {"username": "admin", "password": release.values["admin_password"]}
        tokens = client.post(f"{API}/auth/login", json=credentials).json()
        renewed = client.post(f"{API}/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
        headers = {"Authorization": f"Bearer {renewed['access_token']}"}
        assert client.get(f"{API}/auth/me", headers=headers).status_code == 200

        assert client.post(f"{API}/auth/logout", headers=headers).status_code == 204

        assert client.get(f"{API}/auth/me", headers=headers).status_code == 401
        answer = client.post(f"{API}/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        assert answer.status_code == 401


def test_the_two_kinds_of_token_are_not_exchangeable(release: Embedded, client_of: ClientOf) -> None:
    with client_of(release) as client:
        credentials = {"username": "admin", "password": release.values["admin_password"]}
        tokens = client.post(f"{API}/auth/login", json=credentials).json()
        headers = {"Authorization": f"Bearer {tokens['refresh_token']}"}

        assert client.get(f"{API}/auth/me", headers=headers).status_code == 401
        answer = client.post(f"{API}/auth/refresh", json={"refresh_token": tokens["access_token"]})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", BOM),
        ("POST", BOM),
        ("GET", ORDERS),
        ("POST", f"{API}/ppic/tasks/1/approve"),
        ("GET", f"{CARDS}/all"),
    ],
)
def test_a_role_without_rights_may_nothing(
    anonymous: httpx.Client, visitor: httpx.Client, method: str, path: str
) -> None:
    assert visitor.request(method, path).status_code == 403
    assert anonymous.request(method, path).status_code == 401


# ------------------------------------------------------------------ bills of materials


def test_a_bom_lives_and_ends(warehouse: httpx.Client) -> None:
    created = warehouse.post(BOM, json=bom(notes="mine"))
    assert created.status_code == 201
    made = created.json()
    path = f"{BOM}/{made['id']}"

    assert warehouse.post(BOM, json=bom()).status_code == 409
    assert made in warehouse.get(BOM).json()["items"]
    assert warehouse.get(path).json() == made
    changed = warehouse.put(path, json={"qty_output": 2}).json()
    assert (changed["qty_output"], changed["revision"], changed["notes"]) == (2, "B", "mine")

    removed = warehouse.delete(path)
    assert (removed.status_code, removed.content) == (204, b"")
    assert warehouse.get(path).status_code == 404
    assert warehouse.delete(path).status_code == 404
    assert made["id"] not in [each["id"] for each in warehouse.get(BOM).json()["items"]]
    with_inactive = warehouse.get(BOM, params={"active_only": False}).json()["items"]
    assert [each["is_active"] for each in with_inactive if each["id"] == made["id"]] == [False]


def test_lists_are_paged_and_filtered(warehouse: httpx.Client) -> None:
    everything = warehouse.get(BOM).json()

    assert everything["total"] == len(everything["items"]) >= 1
    assert warehouse.get(BOM, params={"skip": everything["total"]}).json()["items"] == []
    assert warehouse.get(BOM, params={"product_id": 101}).json()["total"] == 1
    assert warehouse.get(BOM, params={"bom_type": "Kit/Phantom"}).json()["total"] == 0
    assert warehouse.get(BOM, params={"limit": 501}).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (bom(product=1), 400),
        (bom(bom_type="Other"), 422),
        (bom(qty_output=0), 422),
        (bom(qty_output="1"), 422),
        (bom(notes="a\0b"), 422),
        (bom(surprise=1), 422),
        ([], 422),
    ],
)
def test_bad_boms_are_refused(warehouse: httpx.Client, body: object, status: int) -> None:
    assert warehouse.post(BOM, json=body).status_code == status


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [(b"{", "application/json", 422), (b"[" * 100_000, "application/json", 422), (b"a=b", "text/plain", 415)],
)
def test_hostile_bodies_are_refused(
    warehouse: httpx.Client, content: bytes, media_type: str, status: int
) -> None:
    answer = warehouse.post(BOM, content=content, headers={"Content-Type": media_type})

    assert answer.status_code == status
    assert "detail" in answer.json()


@pytest.mark.parametrize("identifier", ["0", "999999", "99999999999999999999", "x"])
def test_missing_records_are_404(warehouse: httpx.Client, identifier: str) -> None:
    assert warehouse.get(f"{BOM}/{identifier}").status_code == 404


# ------------------------------------------------------------------ orders and tasks


def test_an_order_lives_and_ends(release: Embedded, ppic: httpx.Client) -> None:
    made = new_order(ppic, notes="mine")
    path = f"{ORDERS}/{made['id']}"

    assert made["state"] == "DRAFT"
    assert ppic.get(path).json() == made
    assert made in ppic.get(ORDERS).json()["items"]
    cards = ppic.get(f"{CARDS}/all").json()["cards"]
    assert [card["state"] for card in cards if card["order_id"] == made["id"]] == ["PENDING"]
    with psycopg.connect(release.values["database_dsn"]) as database:
        stored = database.execute("SELECT notes FROM manufacturing_orders WHERE id = %s", [made["id"]])
        assert stored.fetchone() == ("mine",)

    assert ppic.delete(path).status_code == 204
    assert ppic.get(path).status_code == 404
    assert ppic.get(f"{API}/ppic/tasks/{made['task_id']}").status_code == 404


def test_a_task_leaves_out_no_step(ppic: httpx.Client) -> None:
    order = new_order(ppic)
    task = f"{API}/ppic/tasks/{order['task_id']}"
    steps = {
        "approve": {"approval_notes": "Approved"},
        "start": None,
        "complete": {"actual_quantity": 10},
    }

    def attempt(step: str) -> int:
        return ppic.post(f"{task}/{step}", json=steps[step]).status_code

    for due, state in zip(steps, ["APPROVED", "IN_PROGRESS", "COMPLETED"], strict=True):
        assert {attempt(step) for step in steps if step != due} == {400}
        assert attempt(due) == 200
        assert ppic.get(task).json()["state"] == state
    assert {attempt(step) for step in steps} == {400}
    assert ppic.delete(f"{ORDERS}/{order['id']}").status_code == 204


def test_a_large_variance_needs_an_override(ppic: httpx.Client) -> None:
    order = new_order(ppic)
    task = f"{API}/ppic/tasks/{order['task_id']}"
    ppic.post(f"{task}/approve")
    ppic.post(f"{task}/start")

    assert ppic.post(f"{task}/complete", json={"actual_quantity": 0}).status_code == 422
    assert ppic.post(f"{task}/complete", json={"actual_quantity": 8.9}).status_code == 409
    assert ppic.get(task).json()["state"] == "IN_PROGRESS"
    completed = ppic.post(f"{task}/complete", json={"actual_quantity": 8.9, "override_variance": True})
    assert completed.json()["actual_quantity"] == 8.9
    assert ppic.delete(f"{ORDERS}/{order['id']}").status_code == 204


@pytest.mark.parametrize("quantity", [0, -1, 1e7, "10", None])
def test_absurd_quantities_are_refused(ppic: httpx.Client, quantity: object) -> None:
    answer = ppic.post(ORDERS, json={"product_id": SENTINELS[1], "planned_quantity": quantity})

    assert answer.status_code == 422


def test_a_bom_that_an_active_order_needs_stays(warehouse: httpx.Client, ppic: httpx.Client) -> None:
    made = warehouse.post(BOM, json=bom(product=102)).json()
    order = new_order(ppic, product_id=102, bom_id=made["id"])

    assert warehouse.delete(f"{BOM}/{made['id']}").status_code == 400
    assert ppic.delete(f"{ORDERS}/{order['id']}").status_code == 204
    assert warehouse.delete(f"{BOM}/{made['id']}").status_code == 204


def test_work_from_before_the_release_is_there(ppic: httpx.Client) -> None:
    assert "Planned before the release" in [each["notes"] for each in ppic.get(ORDERS).json()["items"]]


# ------------------------------------------------------------------ kanban, timestamps, OpenAPI


@pytest.mark.parametrize("steps", [["approve", "ship", "receive"], ["reject"]])
def test_a_card_goes_its_way(ppic: httpx.Client, steps: list[str]) -> None:
    order = new_order(ppic)
    card = next(c for c in ppic.get(f"{CARDS}/all").json()["cards"] if c["order_id"] == order["id"])

    for step in steps:
        assert ppic.post(f"{CARDS}/{card['id']}/{step}").status_code == 200
        assert ppic.post(f"{CARDS}/{card['id']}/{step}").status_code == 400
    assert ppic.delete(f"{ORDERS}/{order['id']}").status_code == 204


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/cards/all", "/cards/1/approve", "/cards/1/ship", ""])
def test_the_old_kanban_paths_are_gone(
    anonymous: httpx.Client, ppic: httpx.Client, method: str, path: str
) -> None:
    assert anonymous.request(method, f"{API}/kanban{path}").status_code == 404
    assert ppic.request(method, f"{API}/kanban{path}").status_code == 404


def test_every_timestamp_is_in_jakarta(warehouse: httpx.Client, ppic: httpx.Client) -> None:
    answers = [
        warehouse.get(BOM),
        ppic.get(ORDERS),
        ppic.get(f"{CARDS}/all"),
        ppic.get(f"{API}/ppic/tasks/1"),
    ]

    stamps = [text for answer in answers for text in re.findall(r'_at":"([^"]+)"', answer.text)]
    assert len(stamps) >= 6
    assert all(JAKARTA.fullmatch(stamp) for stamp in stamps)
    assert all(datetime.fromisoformat(stamp).utcoffset() == timedelta(hours=7) for stamp in stamps)


def test_the_openapi_document_lists_what_is_served(anonymous: httpx.Client) -> None:
    document = anonymous.get(f"{API}/openapi.json").json()

    operations = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(operations) == len(set(operations)) >= 20
    assert list(document["paths"][BOM]) == ["get", "post"]
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references <= set(document["components"]["schemas"])


def test_an_unknown_method_is_405_with_the_methods_there_are(ppic: httpx.Client) -> None:
    answer = ppic.patch(ORDERS)

    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
