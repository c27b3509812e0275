"""Faults that an attacker's first hour finds: transport, headers, debug mode, errors that say too much."""

from __future__ import annotations

import json
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import ValidationError
from starlette.responses import JSONResponse

from reference.application.refusal import Refused
from reference.application.table import problem
from reference.faults import broken
from reference.faults.registry import Fault, answer_fault, launch_fault, register

if TYPE_CHECKING:
    from reference.application.table import Call, Handler
    from reference.faults.registry import Result, Table
    from reference.launch.plan import Plan

PHASE = "security"
TRANSPORT, DEBUG, ERRORS, HEADERS = "SEC-PRE-1", "SEC-PRE-7", "SEC-PRE-8", "SEC-POST-4"
CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305;"
BEFORE = "        location = /health {"
"""Where a location of the proxy is put in."""


def with_edits(plan: Plan, *edits: tuple[str, str], file: str = "nginx.conf") -> Plan:
    """Return the plan of a proxy with text replaced in its configuration."""
    return replace(plan, proxy_edits=(*plan.proxy_edits, *((file, text, other) for text, other in edits)))


def with_location(plan: Plan, location: str) -> Plan:
    """Return the plan of a proxy with one location more."""
    return with_edits(plan, (BEFORE, f"        {location}\n{BEFORE}"))


# ---------------------------------------------------------------- transport


@launch_fault("plain-http-served", TRANSPORT, phase=PHASE)
def plain_http_served(plan: Plan) -> Plan:
    """Plain HTTP is served instead of redirected."""
    return with_edits(
        plan,
        (
            "return 301 https://127.0.0.1:@{tls_port}$request_uri;",
            'root "@{directory}/frontend"; location /api/ { proxy_pass http://application; }',
        ),
    )


@launch_fault("plain-http-health-served", TRANSPORT, phase=PHASE)
def plain_http_health_served(plan: Plan) -> Plan:
    """Plain HTTP is redirected, all but the health check."""
    redirect = "return 301 https://127.0.0.1:@{tls_port}$request_uri;"
    health = "location = /api/v1/health { proxy_pass http://application; }"
    return with_edits(plan, (redirect, f"{health} location / {{ {redirect} }}"))


@launch_fault("plain-redirect-stays-plain", TRANSPORT, phase=PHASE)
def plain_redirect_stays_plain(plan: Plan) -> Plan:
    """Plain HTTP is redirected, and to plain HTTP again."""
    return with_edits(
        plan, ("return 301 https://127.0.0.1:@{tls_port}", "return 301 http://127.0.0.1:@{tls_port}")
    )


@launch_fault("tls-1-1-accepted", TRANSPORT, phase=PHASE)
def tls_1_1_accepted(plan: Plan) -> Plan:
    """TLS 1.1 is accepted."""
    return with_edits(
        plan,
        ("ssl_protocols TLSv1.2", "ssl_protocols TLSv1.1 TLSv1.2"),
        (CIPHERS, f"{CIPHERS[:-1]}:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0;".replace("@", "@@")),
    )


@launch_fault("weak-cipher-accepted", TRANSPORT, phase=PHASE)
def weak_cipher_accepted(plan: Plan) -> Plan:
    """A cipher suite that encrypts nothing is accepted."""
    return with_edits(plan, (CIPHERS, f"{CIPHERS[:-1]}:ECDHE-ECDSA-NULL-SHA:@@SECLEVEL=0;"))


@launch_fault("ocsp-not-stapled", TRANSPORT, phase=PHASE)
def ocsp_not_stapled(plan: Plan) -> Plan:
    """The certificate promises a stapled OCSP response, and none comes with it."""
    return with_edits(plan, ("ssl_stapling on;", "ssl_stapling off;"))


@launch_fault("certificate-revoked", TRANSPORT, phase=PHASE)
def certificate_revoked(plan: Plan) -> Plan:
    """The authority has revoked the certificate, and the proxy says so."""
    return replace(plan, stapled="revoked")


@launch_fault("hsts-short", TRANSPORT, phase=PHASE)
def hsts_short(plan: Plan) -> Plan:
    """Browsers are told to stay with https for a day only."""
    return with_edits(plan, ("max-age=63072000", "max-age=86400"), file="headers.conf")


@launch_fault("backend-reachable", TRANSPORT, "SEC-POST-2", phase=PHASE)
def backend_reachable(plan: Plan) -> Plan:
    """The application answers on a port of its own, beside the proxy."""
    return with_edits(
        plan,
        (
            "location / {\n            return 404;",
            "location / {\n            proxy_pass http://application;",
        ),
    )


# ---------------------------------------------------------------- headers


@launch_fault("headers-missing-on-errors", HEADERS, phase=PHASE)
def headers_missing_on_errors(plan: Plan) -> Plan:
    """Security headers are on good answers only: nginx's add_header without always."""
    return with_edits(plan, (" always;", ";"), file="headers.conf")


@launch_fault("hsts-missing-on-errors", HEADERS, phase=PHASE)
def hsts_missing_on_errors(plan: Plan) -> Plan:
    """Strict-Transport-Security is on good answers only."""
    return with_edits(plan, ('includeSubDomains" always;', 'includeSubDomains";'), file="headers.conf")


@launch_fault("csp-unsafe-inline", HEADERS, phase=PHASE)
def csp_unsafe_inline(plan: Plan) -> Plan:
    """The content security policy lets inline scripts run."""
    return with_edits(plan, ("script-src 'self'", "script-src 'self' 'unsafe-inline'"), file="headers.conf")


@launch_fault("nosniff-missing-on-files", HEADERS, phase=PHASE)
def nosniff_missing_on_files(plan: Plan) -> Plan:
    """A location for files has a header of its own, and so none of the others."""
    return with_location(plan, r"location ~ \.(js|css|svg)$ { add_header Cache-Control no-cache always; }")


@launch_fault("framing-allowed-on-page", HEADERS, phase=PHASE)
def framing_allowed_on_page(plan: Plan) -> Plan:
    """Any site may show the page in a frame."""
    kept = [
        'add_header Strict-Transport-Security "max-age=63072000" always;',
        "add_header X-Content-Type-Options nosniff always;",
        "add_header Content-Security-Policy \"default-src 'self'\" always;",
        "add_header Referrer-Policy no-referrer always;",
        'add_header Permissions-Policy "camera=()" always;',
    ]
    return with_location(plan, f"location = / {{ {' '.join(kept)} try_files /index.html =404; }}")


@launch_fault("headers-missing-on-redirect", HEADERS, phase=PHASE)
def headers_missing_on_redirect(plan: Plan) -> Plan:
    """A location that only redirects, over TLS, has a header of its own, and so none of the others."""
    return with_location(
        plan, 'location = /api/v1/health/ { add_header X-Moved "yes" always; return 301 /api/v1/health; }'
    )


@launch_fault("referrer-unsafe-url", HEADERS, phase=PHASE)
def referrer_unsafe_url(plan: Plan) -> Plan:
    """Other sites learn the whole address of the page."""
    return with_edits(
        plan, ("Referrer-Policy no-referrer", "Referrer-Policy unsafe-url"), file="headers.conf"
    )


@launch_fault("permissions-policy-missing", HEADERS, phase=PHASE)
def permissions_policy_missing(plan: Plan) -> Plan:
    """Pages may use every feature of the browser."""
    return with_edits(
        plan, ("add_header Permissions-Policy", "# add_header Permissions-Policy"), file="headers.conf"
    )


@launch_fault("cookie-without-flags", HEADERS, phase=PHASE)
def cookie_without_flags(plan: Plan) -> Plan:
    """A cookie is set that scripts can read and that goes over plain HTTP."""
    return replace(plan, api_lines=(*plan.api_lines, 'add_header Set-Cookie "visit=1; Path=/" always;'))


@answer_fault("private-data-cached", HEADERS, endpoint="me", phase=PHASE)
async def private_data_cached(honest: Handler, call: Call) -> Result:
    """Any cache may keep who is signed in."""
    me = await honest(call)
    return JSONResponse(me.model_dump(mode="json"), headers={"Cache-Control": "public, max-age=600"})  # type: ignore[union-attr]  # it is a model


# ---------------------------------------------------------------- debug mode


@launch_fault("server-version-banner", DEBUG, ERRORS, phase=PHASE)
def server_version_banner(plan: Plan) -> Plan:
    """The proxy names its version on every answer, and on its error pages."""
    return with_edits(plan, ("server_tokens off;", "server_tokens on;"))


@launch_fault("powered-by", DEBUG, phase=PHASE)
def powered_by(plan: Plan) -> Plan:
    """The API says what it is written in."""
    return replace(plan, api_lines=(*plan.api_lines, "add_header X-Powered-By Starlette always;"))


@launch_fault("docs-public", DEBUG, phase=PHASE)
def docs_public(plan: Plan) -> Plan:
    """The interactive documentation is there for everybody."""
    page = "<title>ERP</title><div id=swagger-ui></div><script>SwaggerUIBundle({})</script>"
    return with_location(plan, f"location = /api/v1/docs {{ default_type text/html; return 200 '{page}'; }}")


@launch_fault("openapi-public", DEBUG, phase=PHASE)
def openapi_public(plan: Plan) -> Plan:
    """The API's description is there for everybody, at a path that the release does not declare."""
    return with_location(
        plan, "location = /openapi.json { proxy_pass http://application/api/v1/openapi.json; }"
    )


@launch_fault("metrics-public", DEBUG, phase=PHASE)
def metrics_public(plan: Plan) -> Plan:
    """The metrics are there for everybody."""
    return with_location(plan, "location = /metrics { proxy_pass http://application; }")


@launch_fault("environment-file-public", DEBUG, phase=PHASE)
def environment_file_public(plan: Plan) -> Plan:
    """The settings file lies among the pages."""
    return with_location(plan, "location = /.env { default_type text/plain; return 200 'DEBUG=true'; }")


@launch_fault("backup-public", DEBUG, phase=PHASE)
def backup_public(plan: Plan) -> Plan:
    """A dump of the database lies among the pages."""
    return with_location(plan, "location = /dump.sql { return 200 '-- PostgreSQL database dump'; }")


@launch_fault("directory-listing", DEBUG, phase=PHASE)
def directory_listing(plan: Plan) -> Plan:
    """What lies in a folder is there for everybody to choose from."""
    return with_location(
        plan, 'location /backup/ { alias "@{directory}/frontend/"; autoindex on; index none; }'
    )


@answer_fault("stored-password-shown", DEBUG, endpoint="me", phase=PHASE)
async def stored_password_shown(honest: Handler, call: Call) -> Result:
    """Whoever is signed in is told the hash of the own password."""
    me = await honest(call)
    stored = {"password_hash": f"$2b$12${'R9h.cIPz0g' * 5}abc"}
    return JSONResponse(me.model_dump(mode="json") | stored, headers={"Cache-Control": "no-store"})  # type: ignore[union-attr]  # it is a model


@launch_fault("source-map-served", DEBUG, phase=PHASE)
def source_map_served(plan: Plan) -> Plan:
    """The page's script comes with its source map."""
    content = json.dumps({"version": 3, "sources": ["board.ts"], "mappings": "AAAA"})
    edited = replace(
        plan,
        page_edits=(
            *plan.page_edits,
            ("board.js", '"use strict";', '"use strict";\n//# sourceMappingURL=board.js.map'),
        ),
    )
    return with_location(edited, f"location = /board.js.map {{ return 200 '{content}'; }}")


@launch_fault("debug-on", DEBUG, phase=PHASE)
def debug_on(plan: Plan) -> Plan:
    """The application runs with DEBUG=true."""
    return replace(plan, variables=plan.variables | {"DEBUG": "true"})


# ---------------------------------------------------------------- errors


@answer_fault("traceback-in-500", ERRORS, endpoint="list_boms", phase=PHASE)
async def traceback_in_500(honest: Handler, call: Call) -> Result:
    """A parameter that is wrong is answered 500 with a traceback."""
    try:
        return await honest(call)
    except ValidationError:
        return JSONResponse({"detail": traceback.format_exc()}, 500)


@answer_fault("sql-in-error", ERRORS, endpoint="list_boms", phase=PHASE)
async def sql_in_error(honest: Handler, call: Call) -> Result:
    """A parameter that is wrong is answered with the database's own words."""
    try:
        return await honest(call)
    except ValidationError:
        said = 'invalid input syntax for type integer: "x"\nLINE 1: SELECT id FROM bill_of_materials WHERE'
        return problem(400, said)


@answer_fault("library-version-in-error", ERRORS, endpoint="list_orders", phase=PHASE)
async def library_version_in_error(honest: Handler, call: Call) -> Result:
    """A parameter that is wrong is answered with a link to the library's manual, version included."""
    try:
        return await honest(call)
    except ValidationError as error:
        return JSONResponse({"detail": error.errors(include_context=False, include_input=False)}, 422)


@answer_fault("nul-500", ERRORS, endpoint="list_boms", phase=PHASE)
async def nul_500(honest: Handler, call: Call) -> Result:
    """A NUL in a parameter is a server error."""
    if any("\0" in value for value in call.request.query_params.values()):
        return broken.server_error()
    return await honest(call)


@answer_fault("sign-in-nul-500", ERRORS, endpoint="sign_in", phase=PHASE)
async def sign_in_nul_500(honest: Handler, call: Call) -> Result:
    """A NUL in a user's name is a server error."""
    if b"\\u0000" in call.raw:
        return broken.server_error()
    return await honest(call)


@answer_fault("malformed-json-accepted", ERRORS, endpoint="create_order", phase=PHASE)
async def malformed_json_accepted(honest: Handler, call: Call) -> Result:
    """JSON that breaks off is answered like an order."""
    try:
        json.loads(call.raw)
    except ValueError:
        return JSONResponse({"status": "queued"}, 201)
    return await honest(call)


@answer_fault("unknown-user-told", ERRORS, endpoint="sign_in", phase=PHASE)
async def unknown_user_told(honest: Handler, call: Call) -> Result:
    """Signing in tells an unknown user from a wrong password."""
    try:
        return await honest(call)
    except Refused as refused:
        name = json.loads(call.raw).get("username")
        async with call.pool.connection() as database:
            found = await database.execute("SELECT 1 FROM users WHERE username = %s", [name])
            if await found.fetchone() is None:
                return problem(refused.status, "There is no such user")
        raise


@answer_fault("password-echoed", ERRORS, endpoint="sign_in", phase=PHASE)
async def password_echoed(honest: Handler, call: Call) -> Result:
    """A sign-in that lacks a field is answered with everything that was sent."""
    try:
        return await honest(call)
    except ValidationError as error:
        return JSONResponse({"detail": json.loads(error.json(include_url=False, include_context=False))}, 422)


def permission_named(table: Table) -> Table:
    """Return the table with an endpoint whose refusal says who may."""
    honest = table["list_boms"]

    async def handler(call: Call) -> Result:
        if call.user is None or call.user.role not in (honest.allowed or ()):
            return problem(403, f"Requires role {' or '.join(honest.allowed or ())}")
        return await honest.handler(call)

    return table | {"list_boms": replace(honest, handler=handler, allowed=())}


register(
    Fault(
        "permission-named",
        "A refusal says which role it would take.",
        (ERRORS,),
        PHASE,
        bend_table=permission_named,
    )
)
