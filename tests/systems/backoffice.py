"""An insurer's back office: people sign in by a form, machines as clients of OAuth 2, errors hide in a 200.

People get a session cookie for a form with a CSRF token, and send one with whatever they POST. Machines get
an opaque token for HTTP Basic (RFC 6749, 4.4). Jobs are read by GraphQL, rates by JSON-RPC 2.0, by which
claims are removed, too. Refusals of both are errors in answers 200. It can be broken on demand.
"""

from __future__ import annotations

import base64
import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.probes import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PASSWORD = "correct-horse-battery"  # noqa: S105  of users that live as long as a test
CLIENT_SECRET = "s3cret with a space & more"  # noqa: S105  as above
USERS = {"carla": "clerk", "sven": "supervisor"}
CLIENT, COOKIE = "rates-feed", "bo_session"
QUERY = "read_only = true\ndenied_status = 200\n"
ONE_JOB = 'query = "query ($id: ID!) { job(id: $id) { id status } }", variables = { id = "{id}" }'
CALL = 'jsonrpc = "2.0", id = 1'
ONE_RATE = 'method = "rates.get", params = { id = "{id:number}" }'
DROP = 'method = "claims.drop", params = { id = "{id}" }'
RELEASE = """
version = "7.1"
roles = ["clerk", "supervisor", "feed"]
health = { path = "/health", ready = { state = "up" } }
known_issues = []
[sign_in]
path = "/login"
encoding = "form"
body = { user = "{username}", password = "{password}", csrf_token = "{csrf}" }
status = 303
refused_status = 200
cookie = "bo_session"
role = "clerk"
csrf = { path = "/login", input = "csrf_token", header = "X-CSRF-Token", signed_in_path = "/" }
[[other_sign_ins]]
path = "/oauth/token"
encoding = "form"
basic = ["{username}", "{password}"]
body = { grant_type = "client_credentials", scope = "rates jobs" }
token = "access_token"
token_type = {}
role = "feed"
[sign_out]
path = "/logout"
status = 303
[timestamps]
[records.claim]
create = "open_claim"
read = "claim"
list = "claims"
delete = "drop_claim"
body = { subject = "{mark}" }
id_field = "data.id"
mark_field = "subject"
made_at = "opened_at"
""" + "".join(
    f"""
[[endpoints]]
name = "{name}"
method = "{method}"
path = "{path}"
kind = "{kind}"
role = "{allowed[0]}"
allowed = {json.dumps(allowed)}
{more}
"""
    for name, method, path, kind, allowed, more in (
        (
            *("claims", "GET", "/api/claims", "list", ["clerk", "supervisor", "feed"]),
            'items = ["SMK-3"]\nlist_field = "items"\nshows = "claim"',
        ),
        (
            *("claim", "GET", "/api/claims/{claim}", "read", ["clerk", "supervisor", "feed"]),
            'items = ["SMK-5"]\nids_from = "claims"\nobject_field = "data"',
        ),
        (
            *("open_claim", "POST", "/api/claims", "create", ["clerk", "supervisor"]),
            'items = ["SMK-4"]\nstatus = 201',
        ),
        (
            *("drop_claim", "POST", "/rpc", "delete", ["clerk", "supervisor"]),
            f"denied_status = 200\nbody = {{ {CALL}, {DROP} }}",
        ),
        ("payouts", "GET", "/api/payouts", "list", ["supervisor"], 'list_field = "items"'),
        ("runs", "GET", "/api/runs", "list", ["supervisor", "feed"], 'id_field = "run"'),
        (
            *("run", "GET", "/api/runs/{run}", "read", ["supervisor", "feed"]),
            'ids_from = "runs"\nid_field = "run"',
        ),
        ("summary", "GET", "/api/summary", "report", ["clerk", "supervisor"], ""),
        (
            *("jobs", "POST", "/graphql", "list", ["supervisor", "feed"]),
            f'{QUERY}list_field = "data.jobs"\nbody = {{ query = "{{ jobs {{ id status }} }}" }}',
        ),
        (
            *("job", "POST", "/graphql", "read", ["supervisor", "feed"]),
            f'{QUERY}ids_from = "jobs"\nobject_field = "data.job"\nbody = {{ {ONE_JOB} }}',
        ),
        (
            *("rates", "POST", "/rpc", "list", ["feed"]),
            f'{QUERY}list_field = "result"\nbody = {{ {CALL}, method = "rates.list" }}',
        ),
        (
            *("rate", "POST", "/rpc", "read", ["feed"]),
            f'{QUERY}ids_from = "rates"\nobject_field = "result"\nbody = {{ {CALL}, {ONE_RATE} }}',
        ),
    )
)
ENVIRONMENT = """
name = "another-backoffice"
release = "{release}"
writes = "own-records"
api = {{ url = "{url}" }}
identity = {{ environment = {{ header = "X-Stage", equals = "qa" }} }}
credentials = {{ default_accounts = true }}
[absent]
database = "another team's"
frontend = "pages of the same service"
version = "told nowhere"
[not_applicable]
VAL-PERF-3 = "its memory is another team's"
REL-PERF-1 = "nothing was there before it"
[roles.clerk]
username = "carla"
password = "env:BACKOFFICE_PASSWORD"
[roles.supervisor]
username = "sven"
password = "env:BACKOFFICE_PASSWORD"
[roles.feed]
username = "rates-feed"
password = "env:BACKOFFICE_CLIENT_SECRET"
"""


@dataclass
class Reply:
    """What is answered."""

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """One request, and who asks."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    role: str | None = None

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Session:
    """What the server knows of a cookie."""

    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    role: str | None = None


def now() -> str:
    """Return the time as the back office writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class BackOffice:
    """What the system holds.

    Args:
        broken: how it is broken.
    """

    def __init__(self, *broken: str) -> None:
        self.broken = frozenset(broken)
        self.claims = {f"c-{n}": {"subject": f"an old one, {n}", "opened_at": now()} for n in range(3)}
        self.jobs = {"j1": "done", "j2": "failed", "j3": "error"}
        self.rates = {11: 4.5, 12: 5.25}
        self.sessions: dict[str, Session] = {}
        self.tokens: set[str] = set()
        self.asked: list[str] = []

    def answer(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer one request."""
        asked = Asked(method, urlsplit(url).path, headers, body)
        self.asked.append(f"{method} {url}")
        if asked.path == "/health":
            return Reply(200, {"state": "up"})
        pages: dict[tuple[str, str], Callable[[Asked], Reply]] = {
            ("GET", "/login"): self.login_page,
            ("POST", "/login"): self.sign_in,
            ("POST", "/oauth/token"): self.token,
            ("GET", "/"): self.home,
            ("POST", "/logout"): self.sign_out,
        }
        try:
            return pages.get((method, asked.path), self.work)(asked)
        except (ValueError, KeyError, TypeError, RecursionError):
            return Reply(400, {"error": "what?"})

    # ------------------------------------------------------------ people

    def session(self, asked: Asked) -> tuple[str, Session | None]:
        cookie = SimpleCookie(asked.headers.get("cookie", "")).get(COOKIE)
        return (cookie.value, self.sessions.get(cookie.value)) if cookie else ("", None)

    def given(self, role: str | None = None) -> tuple[Session, dict[str, str]]:
        id_ = secrets.token_urlsafe(24)
        session = self.sessions[id_] = Session(role=role)
        return session, {"Set-Cookie": f"{COOKIE}={id_}; Path=/; Secure; HttpOnly; SameSite=Lax"}

    def login_page(self, asked: Asked) -> Reply:
        _, known = self.session(asked)
        if known and known.role:
            return Reply(303, headers={"Location": "/"})
        session, headers = (known, {}) if known else self.given()
        if "the form is empty" in self.broken:
            return Reply(200, "<p>Come back later.</p>", headers)
        return Reply(
            200,
            "<form method='post'><input name='user'><input name='password' type='password'>"
            f"<input type='hidden' name='csrf_token' value='{session.csrf}'></form>",
            headers,
        )

    def sign_in(self, asked: Asked) -> Reply:
        id_, known = self.session(asked)
        is_shown = known is not None and asked.form.get("csrf_token") == known.csrf
        if known is None or not (is_shown or "forms are not compared" in self.broken):
            return Reply(403, "<p>Your form has expired.</p>")
        role = self.known(asked.form.get("user", ""), asked.form.get("password", ""))
        if role:
            return self.signed_in(id_, known, role)
        given = USERS.get(asked.form.get("user", "")) if "a refusal signs in" in self.broken else None
        headers = self.given(given)[1] if given else {}
        return Reply(200, "<p>Wrong name or password.</p>", headers)

    def known(self, user: str, password: str) -> str | None:
        """Return the role that a name and a password give."""
        if "quotes sign in" in self.broken and "'" in user:
            return "clerk"
        if "a default account is left" in self.broken and (user, password) == ("admin", "admin"):
            return "supervisor"
        is_right = password == PASSWORD or "any password will do" in self.broken
        return USERS.get(user) if is_right else None

    def signed_in(self, id_: str, known: Session, role: str) -> Reply:
        if "sessions are kept" in self.broken:
            known.role = role
            return Reply(303, headers={"Location": "/"})
        del self.sessions[id_]
        return Reply(303, headers={"Location": "/", **self.given(role)[1]})

    def home(self, asked: Asked) -> Reply:
        _, known = self.session(asked)
        if known is None or known.role is None:
            return Reply(303, headers={"Location": "/login"})
        if "the token is gone" in self.broken:
            return Reply(200, "<h1>Back office</h1>")
        return Reply(200, f"<meta name='csrf_token' content='{known.csrf}'><h1>Back office</h1>")

    def sign_out(self, asked: Asked) -> Reply:
        id_, known = self.session(asked)
        if known is None or asked.headers.get("x-csrf-token") != known.csrf:
            return Reply(403, "<p>Your form has expired.</p>")
        if "sign-out ends nothing" not in self.broken:
            del self.sessions[id_]
        return Reply(303, headers={"Location": "/login"})

    # ------------------------------------------------------------ machines

    def token(self, asked: Asked) -> Reply:
        kind, _, pair = asked.headers.get("authorization", "").partition(" ")
        name, _, secret = base64.b64decode(pair).decode().partition(":") if kind == "Basic" else ("", "", "")
        known = {("name", CLIENT), *parse_qsl(f"name={name}&secret={secret}")}
        is_known = known == {("name", CLIENT), ("secret", CLIENT_SECRET)}
        if not is_known and not (name == CLIENT and "any secret will do" in self.broken):
            return Reply(401, {"error": "invalid_client"}, {"WWW-Authenticate": "Basic"})
        if asked.form.get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type"})
        is_counted = "tokens are counted" in self.broken
        token = f"{len(self.tokens):032}" if is_counted else secrets.token_urlsafe(24)
        self.tokens.add(token)
        return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": 900})

    # ------------------------------------------------------------ work

    def work(self, asked: Asked) -> Reply:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        _, session = self.session(asked)
        public = {"jobs are public": "/graphql", "claims are public": "/api/claims"}
        is_public = asked.path in {path for name, path in public.items() if name in self.broken}
        if bearer in self.tokens or (bearer and "any token will do" in self.broken):
            asked.role = "feed"
        elif session and session.role:
            asked.role = session.role
            is_safe = asked.method == "GET" or "forged requests pass" in self.broken
            if not is_safe and asked.headers.get("x-csrf-token") != session.csrf:
                return Reply(403, {"error": "CSRF token missing or wrong"})
        elif not (is_public and asked.method in {"GET", "POST"}):
            return Reply(401, {"error": "who are you?"})
        if asked.path == "/graphql":
            return self.graphql(asked, is_public=is_public)
        return self.rpc(asked) if asked.path == "/rpc" else self.rest(asked)

    def graphql(self, asked: Asked, *, is_public: bool) -> Reply:
        sent = json.loads(asked.body)
        is_let_in = asked.role in {"supervisor", "feed"} or (is_public and asked.role is None)
        is_shut = asked.role == "feed" and "jobs are not for machines" in self.broken
        if is_shut or not (is_let_in or "jobs for all" in self.broken):
            return Reply(200, {"data": None, "errors": [{"message": "forbidden"}]})
        if "jobs fail quietly" in self.broken:
            return Reply(200, {"data": {"jobs": []}, "errors": [{"message": "no connection"}]})
        shown = [{"id": id_, "status": status} for id_, status in self.jobs.items()]
        if "variables" not in sent:
            return Reply(200, {"data": {"jobs": shown}})
        wanted = sent["variables"]["id"]
        found = next((each for each in shown if each["id"] == wanted), None)
        if "one job for all" in self.broken:
            found = shown[-1]
        return Reply(200, {"data": {"job": found}, "errors": []})

    def rpc(self, asked: Asked) -> Reply:
        sent = json.loads(asked.body)
        reply = {"jsonrpc": "2.0", "id": sent["id"]}
        if sent["method"] == "claims.drop":
            return self.dropped(asked, reply, sent["params"]["id"])
        if asked.role != "feed":
            return Reply(200, {**reply, "error": {"code": -32001, "message": "forbidden"}})
        if "rates fail quietly" in self.broken:
            return Reply(200, {**reply, "error": {"code": -32603, "message": "no connection"}})
        rates = [{"id": id_, "percent": percent} for id_, percent in self.rates.items()]
        if sent["method"] == "rates.list":
            return Reply(200, {**reply, "result": rates})
        wanted = sent["params"]["id"]
        if wanted not in self.rates:
            return Reply(200, {**reply, "error": {"code": -32602, "message": f"no rate {wanted!r}"}})
        return Reply(200, {**reply, "result": {"id": wanted, "percent": self.rates[wanted]}})

    def dropped(self, asked: Asked, reply: dict[str, Any], id_: str) -> Reply:
        if asked.role not in {"clerk", "supervisor"} and "machines drop claims" not in self.broken:
            return Reply(200, {**reply, "error": {"code": -32001, "message": "forbidden"}})
        if "claims stay" not in self.broken:
            self.claims.pop(id_, None)
        return Reply(200, {**reply, "result": True})

    def rest(self, asked: Asked) -> Reply:
        _, kind, id_, *_ = [*asked.path.strip("/").split("/"), "", ""]
        if kind == "claims":
            return self.about_claims(asked, id_)
        allowed = {
            "payouts": {"supervisor", *(["clerk"] if "payouts for clerks" in self.broken else [])},
            "runs": {"supervisor", "feed"},
            "summary": {"clerk", "supervisor"},
        }
        if kind not in allowed:
            return Reply(404, {"error": "no such thing"})
        if asked.role not in allowed[kind]:
            return Reply(403, {"error": "not for you"})
        return getattr(self, f"about_{kind}")(id_)  # type: ignore[no-any-return]  # one of those below

    def about_claims(self, asked: Asked, id_: str) -> Reply:
        if asked.method != "GET" and asked.role not in {"clerk", "supervisor"}:
            return Reply(403, {"error": "not for you"})
        if asked.method == "POST":
            id_ = f"c-{secrets.token_hex(4)}"
            self.claims[id_] = {**json.loads(asked.body), "opened_at": now()}
            return Reply(201, {"errorCode": 0, "data": {"id": id_, **self.claims[id_]}})
        if id_ and id_ not in self.claims:
            return Reply(404, {"errorCode": 44, "errorMessage": "no such claim"})
        return self.shown(id_) if id_ else self.listed()

    def shown(self, id_: str) -> Reply:
        claim = {"id": id_, **self.claims[id_]}
        if "claims hide a problem" in self.broken:
            return Reply(200, {"type": "about:blank", "title": "Busy", "status": 200, "data": claim})
        return Reply(200, {"errorCode": 0, "errorMessage": "", "data": claim})

    def listed(self) -> Reply:
        claims = [{"id": id_, **claim} for id_, claim in self.claims.items()]
        if "naive timestamps" in self.broken:
            claims = [{**each, "opened_at": each["opened_at"].removesuffix("Z")} for each in claims]
        failed = "claims fail quietly" in self.broken
        return Reply(
            200,
            {
                "errorCode": 17 if failed else 0,
                "errorMessage": "no connection" if failed else "",
                "errors": [],
                "error": None,
                "items": [] if failed else claims,
            },
        )

    def about_payouts(self, _: str) -> Reply:
        if "payouts are a problem" in self.broken:
            return Reply(200, {"type": "about:blank", "title": "Busy", "status": 200, "items": []})
        failed = "payouts fail quietly" in self.broken
        return Reply(200, {"success": not failed, "items": [{"id": 1, "amount": "12.50", "paid_at": now()}]})

    def about_runs(self, id_: str) -> Reply:
        runs = [
            {"run": "nightly", "status": "failed", "error": "disk full"},
            {"run": "hourly", "status": "ok"},
        ]
        found = [each for each in runs if id_ in {"", each["run"]}]
        return Reply(200, found[0] if id_ else found) if found else Reply(404, {"error": "no such run"})

    def about_summary(self, _: str) -> Reply:
        status = "error" if "summary fails quietly" in self.broken else "ok"
        return Reply(200, {"status": status, "processed": 90, "errors": 2, "error": None})


@contextmanager
def serving(office: BackOffice) -> Iterator[str]:
    """Serve the system; yield its address."""

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        reply = office.answer(method, target, headers, body)
        is_page = isinstance(reply.body, str)
        text = "" if reply.body is None else str(reply.body) if is_page else json.dumps(reply.body)
        kind = {"Content-Type": "text/html" if is_page else "application/json"} if text else {}
        return servers.response(reply.status, text.encode(), {"X-Stage": "qa", **kind, **reply.headers})

    with servers.serving(servers.application(answer)) as server:
        yield server.url
