"""An issue tracker of another team: everything below a tenant, tokens by form, media types of its own.

It can be broken on demand. Its ids are words, and creations answer with
``Location`` and no body, and changes are merge patches that need ``If-Match``. Of one tenant's records
another one does not learn that they are there; a list that all tenants ask for shows each its own.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.probes import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "correct-horse-battery"  # noqa: S105  of users that live as long as a test
MEDIA_TYPE = "application/vnd.tracker+json"
ISSUES = "/v2/tenants/acme/issues"
PAGE = 3
RELEASE = """
version = "2.0"
roles = ["reader", "editor", "stranger"]
health = { path = "/health", text = "ok" }
known_issues = []
[sign_in]
path = "/oauth/token"
encoding = "form"
body = { grant_type = "password", username = "{username}", password = "{password}" }
refused_status = 400
token = "access_token"
token_type = {}
role = "editor"
[timestamps]
[records.issue]
create = "open_issue"
read = "issue"
list = "issues"
delete = "drop_issue"
updates = ["relabel_issue", "pin_issue"]
body = { title = "{mark}", labels = ["a", "b"] }
find = { q = "{mark}" }
id_header = "Location"
mark_field = "title"
made_at = "opened_at"
[records.milestone]
create = "set_milestone"
read = "milestone"
delete = "archive_milestone"
body = { name = "{mark}", due = "2026-12-24" }
mark_field = "name"
ready = { state = "planned" }
ready_within_s = 2
undo = "soft delete"
residue = "an archived milestone"
removed = { archived = true }
[[endpoints]]
name = "all_issues"
method = "GET"
path = "/v2/issues"
kind = "list"
role = "editor"
allowed = ["editor", "reader", "stranger"]
hidden_from = ["stranger"]
shows = "issue"
""" + "".join(
    f"""
[[endpoints]]
name = "{name}"
method = "{method}"
path = "/v2/tenants/{{tenant}}{path}"
kind = "{kind}"
role = "editor"
allowed = ["editor"{', "reader"' if method == "GET" else ""}]
hidden_from = ["stranger"]
path_values = {{ tenant = "{{sentinel:tenant}}" }}
{more}
"""
    for name, method, path, kind, more in (
        (
            *("issues", "GET", "/issues", "list"),
            'items = ["SMK-3"]\nlist_field = "items"\nshows = "issue"\nquery = { area = "{sentinel:area}" }',
        ),
        ("issue", "GET", "/issues/{issue}", "read", 'items = ["SMK-5"]\nids_from = "issues"'),
        (
            *("open_issue", "POST", "/issues", "create"),
            'items = ["SMK-4"]\nstatus = 201\ncontent_type = ""',
        ),
        (
            *("relabel_issue", "PATCH", "/issues/{issue}", "update"),
            'body = { state = "closed" }\nbody_type = "application/merge-patch+json"\nif_match = true',
        ),
        (
            *("pin_issue", "POST", "/issues/{issue}/pin", "action"),
            """status = 204\ncontent_type = ""\nrepeated_status = 409
            effect = { pinned = true, pinned_at = "{changed}" }""",
        ),
        (
            *("drop_issue", "DELETE", "/issues/{issue}", "delete"),
            'status = 204\ncontent_type = ""\nif_match = true',
        ),
        ("mine", "GET", "/mine", "list", 'shows = "issue"\nprivate = true'),
        ("milestone", "GET", "/milestones/{milestone}", "read", ""),
        ("set_milestone", "POST", "/milestones", "create", f'status = 202\ncontent_type = "{MEDIA_TYPE}"'),
        (
            *("archive_milestone", "DELETE", "/milestones/{milestone}", "delete"),
            'status = 204\ncontent_type = ""',
        ),
    )
)
for shown in ("list", "read", "update"):
    RELEASE = RELEASE.replace(f'kind = "{shown}"', f'kind = "{shown}"\ncontent_type = "{MEDIA_TYPE}"')
ENVIRONMENT = """
name = "another-tracker"
release = "{release}"
writes = "own-records"
api = {{ url = "{url}" }}
identity = {{ environment = {{ header = "X-Stage", equals = "qa" }} }}
absent = {{ database = "another team's", frontend = "it has none", version = "told nowhere" }}
sentinels = {{ tenant = "acme", area = "core" }}
[roles.editor]
username = "ed"
password = "env:TRACKER_PASSWORD"
[roles.reader]
username = "ray"
password = "env:TRACKER_PASSWORD"
[roles.stranger]
username = "sue"
password = "env:TRACKER_PASSWORD"
"""


@dataclass
class Reply:
    """What is answered."""

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


def now() -> str:
    """Return the time as the tracker writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Tracker:
    """What the system holds.

    Args:
        broken: how it is broken.
    """

    def __init__(self, *broken: str) -> None:
        self.broken = frozenset(broken)
        self.issues = {f"iss_{n}": self.issue(f"an old one, {n}") for n in range(5)}
        self.milestones: dict[str, dict[str, Any]] = {}
        self.of_another_tenant = {"iss_x": self.issue("another tenant's")}
        self.tokens: dict[str, str] = {}
        self.asked: list[str] = []

    @staticmethod
    def issue(title: str, **more: Any) -> dict[str, Any]:
        """Return a new issue."""
        return {"title": title, "labels": [], "state": "open", "opened_at": now(), "pinned_at": None, **more}

    def answer(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer one request."""
        parts = urlsplit(url)
        self.asked.append(f"{method} {url}")
        if parts.path == "/health":
            return Reply(200, "ok")
        if (method, parts.path) == ("POST", "/oauth/token"):
            return self.sign_in(dict(parse_qsl(body.decode())))
        return self.signed_in(method, url, headers, body)

    def signed_in(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer what is asked with a token, or without one."""
        parts = urlsplit(url)
        role = self.tokens.get(headers.get("authorization", "").removeprefix("Bearer "))
        is_public = "milestones are public" in self.broken and "/milestones/" in parts.path
        if role is None and not (method == "GET" and is_public):
            return Reply(401)
        if (method, parts.path) == ("GET", "/v2/issues"):
            return self.all_issues(role)
        if not parts.path.startswith("/v2/tenants/acme/"):
            return Reply(404)
        path = parts.path.removeprefix("/v2/tenants/acme")
        if reply := self.refusal(role, method, path):
            return reply
        if "a slash leads in" in self.broken:
            path = path.rstrip("/")
        query = dict(parse_qsl(parts.query))
        return self.mine(role) if path == "/mine" else self.within(method, path, query, headers, body)

    def refusal(self, role: str | None, method: str, path: str) -> Reply | None:
        if role == "stranger":
            return self.kept_from_strangers(method, path)
        return Reply(403) if role == "reader" and method != "GET" else None

    def all_issues(self, role: str | None) -> Reply:
        seen = self.of_another_tenant if role == "stranger" else self.issues
        if "all issues are everybody's" in self.broken:
            seen = self.issues | self.of_another_tenant
        return Reply(200, [{"id": id_, **issue} for id_, issue in seen.items()])

    def kept_from_strangers(self, method: str, path: str) -> Reply | None:
        """Answer who is of another tenant, or let them in where that is broken."""
        _, kind, *rest = path.split("/")
        let_in = {
            "issues leak": method == "GET" and kind == "issues" and any(rest),
            "milestones leak": method == "GET" and kind == "milestones" and any(rest),
            "the list leaks": method == "GET" and path == "/issues",
            "strangers pin": rest[1:] == ["pin"],
            "a slash leads in": method == "GET" and path.endswith("/"),
            "strangers remove": method == "DELETE" and kind == "issues",
        }
        if any(let_in[name] for name in self.broken & let_in.keys()):
            return None
        is_there = rest and rest[0] in self.issues and method == "GET"
        return Reply(403 if is_there and "strangers are told" in self.broken else 404)

    def mine(self, role: str | None) -> Reply:
        if role == "reader" and "mine breaks for others" in self.broken:
            return Reply(500)
        everybodys = "mine is everybody's" in self.broken
        return Reply(200, [self.shown(id_) for id_ in self.issues if role == "editor" or everybodys])

    def sign_in(self, form: dict[str, str]) -> Reply:
        role = {"ed": "editor", "ray": "reader", "sue": "stranger"}.get(form.get("username", ""))
        if role is None or form.get("password") != PASSWORD:
            return Reply(400, {"error": "invalid_grant"})
        token = secrets.token_urlsafe(24)
        self.tokens[token] = role
        return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": 600})

    def within(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> Reply:
        """Answer what is asked of the tenant."""
        _, kind, *rest = path.split("/")
        id_ = rest[0] if rest else ""
        if kind == "milestones":
            return self.about_milestones(method, id_, json.loads(body or b"null"))
        if kind != "issues":
            return Reply(404)
        if not id_:
            return self.listed(query) if method == "GET" else self.opened(json.loads(body))
        if id_ not in self.issues:
            return Reply(404)
        if method == "GET":
            return Reply(200, self.shown(id_), {"ETag": self.tag(id_)})
        return self.pinned(id_) if rest[1:] == ["pin"] else self.changed(method, id_, headers, body)

    def pinned(self, id_: str) -> Reply:
        stays = "pins are lost" in self.broken
        is_again = bool(self.issues[id_].get("pinned"))
        if not is_again:
            self.issues[id_] |= {"pinned": not stays, "pinned_at": None if stays else now()}
        elif "pins come off" in self.broken:
            self.issues[id_] |= {"pinned": False}
        elif "a second pin removes" in self.broken:
            del self.issues[id_]
        return Reply(409 if is_again and "pins come twice" not in self.broken else 204)

    def tag(self, id_: str) -> str:
        return f'"{hashlib.md5(json.dumps(self.issues[id_]).encode(), usedforsecurity=False).hexdigest()}"'

    def changed(self, method: str, id_: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer what changes one issue."""
        wanted = headers.get("if-match")
        if wanted is None:
            return Reply(428)
        if wanted not in {"*", self.tag(id_)} and "outdated tags pass" not in self.broken:
            return Reply(412)
        if method == "DELETE":
            del self.issues[id_]
            return Reply(204)
        if headers.get("content-type") != "application/merge-patch+json":
            return Reply(415)
        self.issues[id_] |= json.loads(body)
        return Reply(200, self.shown(id_), {"ETag": self.tag(id_)})

    def about_milestones(self, method: str, id_: str, body: Any) -> Reply:
        if method == "POST":
            id_ = f"ms_{secrets.token_hex(6)}"
            self.milestones[id_] = {"id": id_, "archived": False, "state": "pending", **body}
            return Reply(202, self.milestones[id_])
        if id_ not in self.milestones:
            return Reply(404)
        if method == "DELETE":
            self.milestones[id_]["archived"] = "nothing is archived" not in self.broken
            return Reply(204)
        found = dict(self.milestones[id_])
        if "nothing is planned" not in self.broken:
            self.milestones[id_]["state"] = "planned"  # seen when it is read again
        return Reply(200, found)

    def shown(self, id_: str) -> dict[str, Any]:
        return {"id": id_, **self.issues[id_]}

    def listed(self, query: dict[str, str]) -> Reply:
        if query.get("area") != "core":
            return Reply(422)
        found = [self.shown(id_) for id_ in self.issues]
        if "q" in query:
            found = [each for each in found if query["q"] in each["title"]]
        begin = int(query.get("after", 0))
        more = begin + PAGE < len(found)
        if begin and "second page repeats" in self.broken:
            begin = 0
        link = (
            f"{'http://inside' if 'links lead inside' in self.broken else ''}{ISSUES}?area=core&after={PAGE}"
        )
        return Reply(200, {"items": found[begin : begin + PAGE], "next": link if more else None})

    def opened(self, sent: dict[str, Any]) -> Reply:
        id_ = f"iss_{secrets.token_hex(6)}"
        self.issues[id_] = self.issue(
            sent["title"], labels=[] if "labels are lost" in self.broken else sent["labels"]
        )
        return Reply(201, headers={"Location": f"{ISSUES}/{id_}"})


@contextmanager
def serving(tracker: Tracker) -> Iterator[str]:
    """Serve the system; yield its address."""

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        reply = tracker.answer(method, target, headers, body)
        is_text = isinstance(reply.body, str)
        text = "" if reply.body is None else str(reply.body) if is_text else json.dumps(reply.body)
        kind = "text/plain" if is_text else MEDIA_TYPE if target.startswith("/v2") else "application/json"
        told = {"X-Stage": "qa", **({"Content-Type": kind} if text else {}), **reply.headers}
        return servers.response(reply.status, text.encode(), told)

    with servers.serving(servers.application(answer)) as server:
        yield server.url
