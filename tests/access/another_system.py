"""A small system of another team: its own words, UUIDs, bare lists, a registration; broken on demand."""

from __future__ import annotations

import json
import re
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jwt

from tests.probes import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "k" * 64
CLAIM = "https://shop.test/roles"
PASSWORD = "correct-horse-battery"  # noqa: S105  of users that live as long as a test
RELEASE = f"""
version = "3.1"
roles = ["administrator", "buyer"]
health = {{ path = "/status", ready = {{ state = "up" }} }}
[sign_in]
path = "/session"
body = {{ mail = "{{username}}", secret = "{{password}}" }}
status = 201
refused_status = 403
token = "data.jwt"
format = "jwt"
role_claim = "{CLAIM}"
role = "administrator"
header = "X-Auth"
scheme = ""
[registration]
path = "/signup"
body = {{ mail = "{{mark}}@shop.test", secret = "{{password}}" }}
role_field = "kind"
delete = "drop_account"
id_field = "account.uid"
[records.item]
create = "add"
read = "item"
list = "items"
delete = "drop"
body = {{ label = "{{mark}}" }}
id_field = "uid"
mark_field = "label"
""" + "".join(
    f"""
[[endpoints]]
name = "{name}"
method = "{method}"
path = "{path}"
kind = "{kind}"
role = "{roles[0]}"
allowed = {json.dumps(roles)}
id_field = "uid"
{more}
"""
    for name, method, path, kind, roles, more in (
        ("items", "GET", "/items", "list", ["buyer", "administrator"], ""),
        ("item", "GET", "/items/{uid}", "read", ["buyer", "administrator"], 'ids_from = "items"'),
        ("audit", "GET", "/audit", "list", ["administrator"], ""),
        ("add", "POST", "/items", "create", ["administrator"], "status = 201"),
        ("hide", "POST", "/items/{uid}/hide", "action", ["administrator"], ""),
        ("drop", "DELETE", "/items/{uid}", "delete", ["administrator"], "status = 204"),
        ("drop_account", "DELETE", "/accounts/{uid}", "delete", ["administrator"], "status = 204"),
    )
)
ENVIRONMENT = """
name = "another-system"
release = "{release}"
writes = "own-records"
api = {{ url = "{url}" }}
identity = {{ environment = {{ field = "env", equals = "shop" }} }}
absent = {{ database = "another team's", frontend = "it has none", version = "told nowhere" }}
[roles.administrator]
username = "root@shop.test"
password = "env:SHOP_PASSWORD"
values = {{ signing_key = "env:SHOP_KEY" }}
[roles.buyer]
username = "eve@shop.test"
password = "env:SHOP_PASSWORD"
values = {{ signing_key = "env:SHOP_KEY" }}
"""


class Shop:
    """What the system holds.

    Args:
        broken: how it is broken.
    """

    def __init__(self, *broken: str) -> None:
        self.broken = frozenset(broken)
        self.users = {
            "root@shop.test": (PASSWORD, "Administrator"),
            "eve@shop.test": (PASSWORD, "Buyer"),
        }
        self.items = {str(uuid.uuid4()): "an old one"}
        self.accounts: dict[str, str] = {}

    def answer(self, method: str, path: str, token: str, body: dict[str, Any]) -> tuple[int, object]:
        if path == "/status":
            return 200, {"state": "up", "env": "shop"}
        if (method, path) == ("POST", "/session"):
            return self.sign_in(body)
        if (method, path) == ("POST", "/signup"):
            return self.sign_up(body)
        role = self.role(token)
        return (401, {"message": "who are you?"}) if role is None else self.as_role(role, method, path, body)

    def as_role(self, role: str, method: str, path: str, body: dict[str, Any]) -> tuple[int, object]:
        if path == "/items" and method == "GET":
            return 200, [{"uid": uid, "label": label} for uid, label in self.items.items()]
        one = re.fullmatch(r"/items/([^/]+)", path)
        if one and method == "GET":
            return self.item(one[1])
        if role != "Administrator" and not ("buyers-add" in self.broken and path == "/items"):
            return 403, {"message": "not you"}
        return self.change(method, path, body)

    def change(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, object]:
        if path == "/audit":
            return 200, []
        if path == "/items":
            uid = str(uuid.uuid4())
            self.items[uid] = body["label"]
            return 201, {"uid": uid, "label": body["label"]}
        _, kind, uid, *action = path.split("/")
        if kind == "accounts":
            self.users.pop(self.accounts.pop(uid))
            return 204, None
        if method == "DELETE":
            return (204, None) if self.items.pop(uid, None) else (404, {})
        return self.item(uid) if action == ["hide"] else (404, {})

    def item(self, uid: str) -> tuple[int, object]:
        return (200, {"uid": uid, "label": self.items[uid]}) if uid in self.items else (404, {})

    def sign_in(self, body: dict[str, Any]) -> tuple[int, object]:
        secret, role = self.users.get(body["mail"], (None, ""))
        if secret != body["secret"]:
            return 403, {"message": "invalid_credentials_given"}
        now = int(time.time())
        claims = {CLAIM: [role], "iat": now, "exp": now + 3600}
        return 201, {"data": {"jwt": jwt.encode(claims, KEY, "HS256")}}

    def sign_up(self, body: dict[str, Any]) -> tuple[int, object]:
        if "refuses-a-role" in self.broken and "kind" in body:
            return 422, {"message": "what kind?"}
        chosen = body.get("kind") if "any-role" in self.broken else None
        self.users[body["mail"]] = (body["secret"], chosen or "Buyer")
        uid = str(uuid.uuid4())
        self.accounts[uid] = body["mail"]
        return 201, {"account": {"uid": uid}}

    def role(self, token: str) -> str | None:
        try:
            claims = jwt.decode(
                token, KEY, ["HS256"], options={"verify_exp": "never-expires" not in self.broken}
            )
        except jwt.InvalidTokenError:
            return None
        return str(claims[CLAIM][0])


@contextmanager
def serving(shop: Shop) -> Iterator[str]:
    """Serve the system; yield its address."""

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        status, sent = shop.answer(method, target, headers.get("x-auth", ""), json.loads(body or b"{}"))
        if sent is None:
            return servers.response(status)
        return servers.json_response(status, sent)

    with servers.serving(servers.application(answer)) as server:
        yield server.url
