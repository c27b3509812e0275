"""Every kind of mistake, and the message that it gets."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from fixtures import tomlfile
from fixtures.environment import Environment, mismatches, unknown_items
from fixtures.environment import load as load_environment
from fixtures.release import Release, load
from fixtures.tomlfile import ConfigError, Mistake

if TYPE_CHECKING:
    from tests.config.conftest import Refused

ENVIRONMENT = """\
name = "shop"
release = "1.0.0"
identity = { environment = { field = "stage", equals = "shop" } }
"""

RELEASE = """\
version = "1"
roles = ["clerk", "manager"]
health = { path = "/healthz", text = "ok" }
sign_in = { path = "/in", body = { n = "{username}", password = "{password}" }, token = "t", role = "clerk" }
"""

HEALTH = "health = { path = '/', text = 'ok' }\n"


UPDATED = """\
[[endpoints]]
name = "add"
method = "POST"
path = "/books"
kind = "create"

[[endpoints]]
name = "read"
method = "GET"
path = "/books/{id}"
kind = "read"
path_values = { id = 1 }

[[endpoints]]
name = "shelve"
method = "PATCH"
path = "/books/{id}"
kind = 'update'
body = { shelf = 'B2' }

[records.book]
create = "add"
read = 'read'
updates = ["shelve"]
body = { title = "{mark}" }
mark_field = "title"
undo = "none"
residue = "a book"
"""


def head(count: int) -> str:
    return f"shop.toml: {count} {'mistake' if count == 1 else 'mistakes'}\n"


def indented(text: str) -> str:
    """Return the lines of a message below its head, as a test can write them down."""
    return "\n".join("  " + line for line in dedent(text).splitlines())


# ---------------------------------------------------------------- the file


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "staging.toml").touch()

    with pytest.raises(ConfigError) as caught:
        tomlfile.read(Path("stagin.toml"))

    assert str(caught.value) == dedent("""\
        stagin.toml: 1 mistake
          file not found
            allowed: one of staging.toml
            did you mean: staging.toml""")


def test_a_file_in_a_folder_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match="file not found, nor its folder nowhere"):
        tomlfile.read(Path("nowhere/shop.toml"))


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"1 mistake\n  a folder\n    allowed: a TOML file"):
        tomlfile.read(tmp_path)


def test_a_file_of_the_other_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop.toml").write_text(ENVIRONMENT, encoding="utf-8")
    Path("release.toml").write_text(RELEASE, encoding="utf-8")

    with pytest.raises(ConfigError) as as_environment:
        load_environment(Path("release.toml"))
    with pytest.raises(ConfigError) as as_release:
        load(Path("shop.toml"))

    assert str(as_environment.value) == dedent("""\
        release.toml: 1 mistake
          a release file: it has health
            allowed: an environment file (docs/environment-file.md)""")
    assert str(as_release.value) == dedent("""\
        shop.toml: 1 mistake
          an environment file: it has identity
            allowed: a release file (docs/release-file.md)""")


def test_a_folder_full_of_files_is_not_listed_whole(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"shop-{number:02}.toml").touch()

    with pytest.raises(ConfigError) as caught:
        tomlfile.read(tmp_path / "shop-49toml")

    assert "shop-07.toml, ...\n    did you mean: shop-49.toml" in str(caught.value)


def test_what_is_allowed_is_told_at_length_once(refused: Refused) -> None:
    text = refused(ENVIRONMENT + "nmae = 1\nrelaese = 2\n", Environment)

    assert text.count("intrusion_detection") == 1
    assert "  relaese: no such key\n    allowed: as above\n    did you mean: release" in text


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_bytes(b'name = "shop"\nrelease = "\xe9"\n')

    with pytest.raises(ConfigError, match="line 2 is not UTF-8"):
        tomlfile.read(path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_bytes(b'\xef\xbb\xbfname = "shop"\n')

    assert tomlfile.read(path) == {"name": "shop"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('name = "shop"\nwrites = never\n', "not TOML: line 2, column 10: Invalid value"),
        ("[api\n", "not TOML: line 1, column 5: Expected ']' at the end of a table declaration"),
        ('name = "shop"\nname = "shop"\n', "not TOML: line 2, column 14: Cannot overwrite a value"),
        ("deep = " + "[" * 5000, "arrays or tables nested too deeply"),
        ('name = "hunter2', "not TOML: line 1, end of document: Unterminated string"),
    ],
)
def test_broken_toml_is_named_by_its_line_without_quoting_it(text: str, found: str, refused: Refused) -> None:
    assert refused(text, Environment) == f"{head(1)}  {found}\n    allowed: valid TOML"


# ---------------------------------------------------------------- keys and types


def test_several_mistakes_are_listed_together(refused: Refused) -> None:
    text = """\
        naem = "shop"
        release = 1
        writes = "own-record"
        concurrency = "10"
        identity = { unproven = " " }

        [api]
        url = "ftp://shop.example"

        [limits]
        error_ratio = 1.5
        """

    assert refused(dedent(text), Environment) == head(8) + indented("""\
        name: missing
          allowed: short name; reports are filed under it.
        release: found the number 1
          allowed: a string
        writes: found the string "own-record"
          allowed: "never", "own-records" or "anything"
          did you mean: own-records
        concurrency: found the string "10"
          allowed: a whole number
        api.url: scheme "ftp"
          allowed: http:// or https://
        identity.unproven: an empty string
          allowed: a text that says something
        limits.error_ratio: found the number 1.5
          allowed: at most 1
        naem: no such key
          allowed: name, release, target, writes, lower, browser, concurrency, baseline, previous, api,
          frontend, database, identity, roles, sentinels, rate, limits, services, escalation, rollback,
          absent, not_applicable, waivers, attestations, deployment, credentials, waf, edge,
          intrusion_detection, security_log, audit, console, aws, load
          did you mean: name""")


def test_at_most_eight_mistakes_are_shown(refused: Refused) -> None:
    message = refused(ENVIRONMENT + "".join(f"unknown{number} = 1\n" for number in range(20)), Environment)

    assert message.startswith("shop.toml: 20 mistakes")
    assert message.count("no such key") == 8
    assert message.endswith("  and 12 more")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "[roles.clerk]\nusername = 'a'\npasword = 'hunter2-hunter2'\n",
            """\
              roles.clerk.pasword: no such key
                allowed: username, password, token, values
                did you mean: password""",
            id="unknown key in a table by name",
        ),
        pytest.param(
            "[[waivers]]\nitem = 'SMK-3'\nreason = 'x'\n",
            """\
              waivers[SMK-3].owner: missing
                allowed: the person who answers for it.
              waivers[SMK-3].expires: missing
                allowed: the last day on which it holds.""",
            id="waiver without owner and expiry",
        ),
        pytest.param(
            "[[waivers]]\nitem = 'SMK-3'\nowner = 'x'\nexpires = '2026-11-30'\n",
            """\
              waivers[SMK-3].reason: missing
                allowed: why it is acceptable.
              waivers[SMK-3].expires: found the string "2026-11-30"
                allowed: a date such as 2026-11-30, without quotes""",
            id="waiver without reason, date in quotes",
        ),
        pytest.param(
            "concurrency = true\n",
            """\
              concurrency: found true
                allowed: a whole number""",
            id="a truth value is no number",
        ),
        pytest.param(
            "concurrency = 101\n",
            """\
              concurrency: found the number 101
                allowed: at most 100""",
            id="out of range",
        ),
        pytest.param(
            "[limits]\np95_ms = nan\n",
            """\
              limits.p95_ms: found the number nan
                allowed: a finite number""",
            id="nan",
        ),
        pytest.param(
            "[limits]\np95_ms = 900\n",
            """\
              limits.p95_alert_ms: 500, below p95_ms = 900
                allowed: at least 900: the alert is the worse of the two""",
            id="target beyond the alert",
        ),
        pytest.param(
            "api = 'https://user:hunter2@shop.example'\n",
            """\
              api: found a string (not shown)
                allowed: a table""",
            id="string for a table",
        ),
        pytest.param(
            "[api]\nurl = 'https://user:hunter2@shop.example'\n",
            """\
              api.url: an address with credentials in it (not shown)
                allowed: an address without them; credentials belong to [roles], by reference""",
            id="credentials in an address",
        ),
        pytest.param(
            "[api]\nurl = 'shop.example'\n",
            """\
              api.url: an address without a scheme
                allowed: http:// or https://""",
            id="address without scheme",
        ),
        pytest.param(
            "[api]\nurl = 'https://shop.example:99999'\n",
            """\
              api.url: an address that cannot be parsed (port or brackets)
                allowed: an address such as https://host:port""",
            id="address with a wrong port",
        ),
        pytest.param(
            "[api]\nurl = 'https://shop.example/?key=1'\n",
            """\
              api.url: an address with a query or fragment
                allowed: an address such as https://host:port""",
            id="address with a query",
        ),
        pytest.param(
            "[roles.clerk]\nusername = 'clerk'\npassword = 'hunter2-hunter2'\n",
            """\
              roles.clerk.password: a literal value (not shown)
                allowed: a reference: env:NAME, file:/absolute/path, command:PROGRAM ARGUMENTS""",
            id="literal secret",
        ),
        pytest.param(
            "[database]\ndsn = 'postgresql://shop:hunter2-hunter2@db/shop'\n",
            """\
              database.dsn: a literal value (not shown)
                allowed: a reference: env:NAME, file:/absolute/path, command:PROGRAM ARGUMENTS""",
            id="literal connection string",
        ),
        pytest.param(
            "[roles]\nclerk = 'hunter2-hunter2'\n",
            """\
              roles.clerk: found a string (not shown)
                allowed: a table""",
            id="literal secret for a role",
        ),
        pytest.param(
            "[roles.clerk]\nusername = 'clerk'\n",
            """\
              roles.clerk.password: missing
                allowed: username and password, or token""",
            id="role without password",
        ),
        pytest.param(
            "[roles.clerk]\nusername = 'clerk'\npassword = 'env:A'\ntoken = 'env:B'\n",
            """\
              roles.clerk.token: beside a username or password
                allowed: either token, or username and password""",
            id="role with both",
        ),
        pytest.param(
            "api = { url = 'embedded:url' }\n[roles.clerk]\nusername = 'a'\npassword = 'embedded:clerk'\n",
            """\
              api.url: "embedded:url", although target is "deployed"
                allowed: a value of its own, or target = "embedded"
              roles.clerk.password: "embedded:clerk", although target is "deployed"
                allowed: a reference: env:NAME, file:/absolute/path, command:PROGRAM ARGUMENTS""",
            id="embedded values of a deployed target",
        ),
        pytest.param(
            "[absent]\ndatabse = 'no database'\n",
            """\
              absent.databse: no such component
                allowed: api_keys, audit, cdn, database, database_console, direct_address, frontend, logs,
                previous_database_password, previous_signing_key, version, waf
                did you mean: database""",
            id="unknown component",
        ),
        pytest.param(
            "absent = { database = 'none' }\ndatabase = { dsn = 'env:DSN' }\n",
            """\
              absent.database: declared absent, although [database] is there
                allowed: one of them""",
            id="absent and there",
        ),
        pytest.param(
            "absent = { direct_address = 'none' }\n"
            "api = { url = 'https://a.example', direct = ['http://10.0.0.1'] }\n",
            """\
              absent.direct_address: declared absent, although api.direct is there
                allowed: one of them""",
            id="no direct address and one",
        ),
        pytest.param(
            "lower = 'shop'\n",
            """\
              lower: this environment itself
                allowed: the name of another one""",
            id="lower than itself",
        ),
        pytest.param(
            "[escalation.5]\nrespond_within_min = 5\ncontacts = []\n",
            """\
              escalation.5: found the string "5"
                allowed: "1", "2", "3" or "4"
              escalation.5.contacts: found an array of 0
                allowed: at least 1""",
            id="unknown severity, no contacts",
        ),
        pytest.param(
            "[escalation.1]\nrespond_within_min = 5\n"
            "contacts = [{ role = 'Lead', name = 'A', phone = '[Phone]' }, { role = 'Lead', name = 'B' }]\n",
            """\
              escalation.1.contacts[A].phone: found "[Phone]"
                allowed: a telephone number such as +62 21 5550 1001
              escalation.1.contacts[B]: no way to reach this contact
                allowed: phone, email or ticket""",
            id="contacts out of reach",
        ),
        pytest.param(
            "[deployment]\nstarted_at = 2026-11-22T19:00:00\n",
            """\
              deployment.started_at: found 2026-11-22T19:00:00
                allowed: a date and time with offset, such as 2026-11-22T19:15:00+07:00, without quotes""",
            id="time without offset",
        ),
        pytest.param(
            "[deployment]\nstarted_at = 2026-11-22T19:00:00Z\nfinished_at = 2026-11-22T18:00:00Z\n",
            """\
              deployment.finished_at: earlier than started_at
                allowed: a later time""",
            id="deployment that ends before it begins",
        ),
        pytest.param(
            "waivers = [\n"
            "{ item = 'SMK-3', reason = 'x', owner = 'y', expires = 2026-11-30 },\n"
            "{ item = 'SMK-3', reason = 'x', owner = 'y', expires = 2026-12-30 },\n]\n",
            """\
              waivers[SMK-3]: 2 waivers for the same item
                allowed: one waiver per item""",
            id="waived twice",
        ),
        pytest.param(
            "[services.backend]\nmemory_limit_mb = 512\n",
            """\
              services.backend: none or several ways to read its memory
                allowed: one of metrics, pid_file, container""",
            id="service without a source",
        ),
        pytest.param(
            "[sentinels]\nproduct = 1.5\n",
            """\
              sentinels.product: found 1.5
                allowed: a whole number or a string""",
            id="sentinel of a wrong type",
        ),
        pytest.param(
            '[aws]\naccount = "123456789012"\nregion = "eu-west-2"\n',
            """\
              aws: none of guardduty, shield and web_acl
                allowed: at least one of them""",
            id="an account at AWS of which nothing is asked",
        ),
        pytest.param(
            '[aws]\naccount = 123456789012\nregion = "London"\nguardduty = { features = ["s3"] }\n'
            'emulator = "http://192.0.2.1:5000"\ncredentials = { access_key_id = "AKIA" }\n'
            "shield.protects = []\n"
            'web_acl.attached_to = ["arn:aws:apigateway:eu-west-2::/restapis/a/stages/b"]\n',
            """\
              aws.account: found the number 123456789012
                allowed: a string
              aws.region: found "London"
                allowed: the name of a region, such as ap-southeast-3
              aws.credentials.access_key_id: a literal value (not shown)
                allowed: a reference: env:NAME, file:/absolute/path, command:PROGRAM ARGUMENTS
              aws.credentials.secret_access_key: missing
                allowed: reference to its secret.
              aws.emulator: found "http://192.0.2.1:5000"
                allowed: an emulator on this machine: 127.0.0.1, ::1, localhost
              aws.guardduty.features[#1]: found "s3"
                allowed: a feature as GetDetector names it, such as S3_DATA_EVENTS
              aws.shield.protects: found an array of 0
                allowed: at least 1
              aws.web_acl.attached_to[#1]: found "arn:aws:apigateway:eu-west-2::/restapis/a/stages/b"
                allowed: the ARN of an application load balancer or of a distribution""",
            id="every mistake about AWS",
        ),
        pytest.param(
            '[aws]\naccount = "123456789012"\nregion = "eu-west-2"\n'
            'shield.protects = ["arn:aws:cloudfront::210987654321:distribution/E1"]\n'
            "web_acl.attached_to = ["
            '"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/a/1"]\n',
            """\
              aws.shield.protects[#1]: a resource of account 210987654321
                allowed: one of account = "123456789012"
              aws.web_acl.attached_to[#1]: a resource in us-east-1
                allowed: one in region = "eu-west-2\"""",
            id="resources of another account and region",
        ),
        pytest.param(
            '[absent]\nwaf = "none"\n[aws]\naccount = "123456789012"\nregion = "eu-west-2"\n'
            'web_acl.attached_to = ["arn:aws:cloudfront::123456789012:distribution/E1"]\n',
            """\
              absent.waf: declared absent, although [aws.web_acl] is there
                allowed: one of them""",
            id="a web ACL where there is no firewall",
        ),
        pytest.param(
            '"\\u001b[31m" = 1\n',
            """\
              "\\u001b[31m": no such key
                allowed: name, release, target, writes, lower, browser, concurrency, baseline, previous, api,
                frontend, database, identity, roles, sentinels, rate, limits, services, escalation, rollback,
                absent, not_applicable, waivers, attestations, deployment, credentials, waf, edge,
                intrusion_detection, security_log, audit, console, aws, load""",
            id="a key with a control sequence",
        ),
    ],
)
def test_a_mistake_in_an_environment(text: str, message: str, refused: Refused) -> None:
    answer = refused(ENVIRONMENT + text, Environment)

    assert answer == head(answer.count("allowed: ")) + indented(message)
    assert "hunter2" not in answer


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ('{ unproven = "no field" }', 'writes: found "own-records", although identity.unproven says'),
        ('{ version = { field = "v" } }', "identity.environment: missing"),
        ('{ environment = { field = "e" } }', "identity.environment.equals: missing"),
        ('{ environment = { equals = "e" } }', "identity.environment: neither field nor header nor path"),
        (
            '{ environment = { field = "e", header = "E", equals = "e" } }',
            "identity.environment: both field and header",
        ),
        (
            '{ environment = { field = "e", equals = "e" }, unproven = "x" }',
            "identity.unproven: a reason, although environment is declared",
        ),
    ],
)
def test_an_identity_that_proves_nothing(identity: str, message: str, refused: Refused) -> None:
    text = f'name = "shop"\nrelease = "1"\nwrites = "own-records"\nidentity = {identity}\n'

    assert f"\n  {message}" in refused(text, Environment)


def test_an_unproven_identity_may_read(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text('name = "shop"\nrelease = "1"\nidentity = { unproven = "no field" }\n', encoding="utf-8")

    assert tomlfile.load(path, Environment).writes == "never"


def test_an_expired_waiver_loads(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    waiver = '[[waivers]]\nitem = "SMK-3"\nreason = "x"\nowner = "y"\nexpires = 2001-01-01\n'
    path.write_text(ENVIRONMENT + waiver, encoding="utf-8")

    assert tomlfile.load(path, Environment).waivers[0].expires.year == 2001


# ---------------------------------------------------------------- the release


def endpoint(**changes: object) -> str:
    values: dict[str, object] = {
        "name": "orders",
        "method": "GET",
        "path": "/orders",
        "kind": "list",
        **changes,
    }
    lines = (
        f"{key} = {str(value).lower() if isinstance(value, int) else tomlfile.quote(value)}"
        for key, value in values.items()
    )
    return "\n".join(["[[endpoints]]", *lines, ""])


OTHER = """\
[[other_sign_ins]]
path = '/token'
body = {{ grant_type = 'client_credentials' }}
token = 't'
role = '{role}'
{more}
"""


def record(create: str, note: str) -> str:
    return f"[records.order]\ncreate = '{create}'\nbody = {{ note = '{note}' }}\nmark_field = 'note'\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            endpoint(kind="lst"),
            """\
              endpoints[orders].kind: found the string "lst"
                allowed: "list", "read", "create", "update", "delete", "action", "report" or "page"
                did you mean: list""",
            id="unknown kind",
        ),
        pytest.param(
            endpoint(kind="create"),
            """\
              endpoints[orders].kind: "create", although GET changes nothing
                allowed: list, read, action, report or page""",
            id="a kind that the method contradicts",
        ),
        pytest.param(
            endpoint(role="clrk"),
            """\
              endpoints[orders].role: no role "clrk"
                allowed: clerk, manager
                did you mean: clerk""",
            id="unknown role",
        ),
        pytest.param(
            endpoint() + endpoint(),
            """\
              endpoints[orders].name: 2 endpoints of this name
                allowed: one name per endpoint""",
            id="two endpoints of the same name",
        ),
        pytest.param(
            endpoint(shows="order"),
            """\
              endpoints[orders].shows: no record "order"
                allowed: none: this file declares no fitting record""",
            id="unknown record",
        ),
        pytest.param(
            endpoint() + endpoint(name="one", kind="read", path="/orders/{id}", ids_from="order"),
            """\
              endpoints[one].ids_from: no endpoint "order"
                allowed: orders
                did you mean: orders""",
            id="unknown endpoint",
        ),
        pytest.param(
            endpoint(kind="read", path="/orders/{id}"),
            """\
              endpoints[orders].ids_from: missing, and nothing fills {id} in its path
                allowed: a list or read endpoint, or a record that it reads""",
            id="a path that nothing fills",
        ),
        pytest.param(
            endpoint(name="order", kind="read", path="/orders/{id}", ids_from="task")
            + endpoint(name="task", kind="read", path="/tasks/{id}", ids_from="order"),
            """\
              endpoints[order].ids_from: "task", whose ids come from order in the end
                allowed: endpoints of which the first needs no id
              endpoints[task].ids_from: "order", whose ids come from task in the end
                allowed: endpoints of which the first needs no id""",
            id="ids that come from each other",
        ),
        pytest.param(
            endpoint()
            + endpoint(name="line", kind="read", path="/orders/{id}/lines/{no}", ids_from="orders"),
            """\
              endpoints[line].path_values: placeholders id, no without a value
                allowed: values for all of them but one; or, to read, an ids_from whose path has the others""",  # noqa: E501 - the message as it is
            id="a path within another that its list does not lie in",
        ),
        pytest.param(
            endpoint(path="/orders?limit=1"),
            """\
              endpoints[orders].path: a path with a query
                allowed: a path such as /api/v1/orders/{id}; what follows the question mark belongs to query""",  # noqa: E501 - the message as it is
            id="a query in the path",
        ),
        pytest.param(
            endpoint(path="orders"),
            """\
              endpoints[orders].path: found "orders"
                allowed: a path such as /api/v1/orders/{id}""",
            id="a relative path",
        ),
        pytest.param(
            endpoint(change="moved"),
            """\
              endpoints[orders].moved_from: missing, although change = "moved"
                allowed: the old path""",
            id="moved from nowhere",
        ),
        pytest.param(
            endpoint(status=99),
            """\
              endpoints[orders].status: found the number 99
                allowed: at least 100""",
            id="no status",
        ),
        pytest.param(
            endpoint(schema_file="order.schema.json"),
            """\
              endpoints[orders].schema_file: order.schema.json: No such file or directory
                allowed: a JSON file""",
            id="a schema file that is not there",
        ),
        pytest.param(
            endpoint(method="POST", kind="create")
            + record(create="ordrs", note="{mrk}")
            + "undo = 'none'\nresidue = 'an order'\n",
            """\
              records.order.body.note: unknown placeholder {mrk}
                allowed: {mark}, {sentinel:NAME}
                did you mean: {mark}""",
            id="unknown placeholder",
        ),
        pytest.param(
            endpoint(method="POST", kind="create")
            + record(create="ordrs", note="{mark}")
            + "undo = 'none'\nresidue = 'an order'\n",
            """\
              records.order.create: no endpoint "ordrs"
                allowed: orders
                did you mean: orders""",
            id="a record of an unknown endpoint",
        ),
        pytest.param(
            endpoint(method="POST", kind="create") + record(create="orders", note="x") + "alive = 'shown'\n",
            """\
              records.order.body: no {mark} in it
                allowed: a searchable field that holds it, such as notes = "{mark}"
              records.order.delete: missing, although undo = "delete"
                allowed: the endpoint that removes the record
              records.order.table: missing, although alive is there
                allowed: the table that has the column""",
            id="a record that cannot be found or removed",
        ),
        pytest.param(
            endpoint(method="POST", kind="create")
            + record(create="orders", note="{mark}")
            + "undo = 'none'\nresidue = 'an order'\nother = { not = 'x', note = '{mark}' }\n",
            """\
              records.order.other.not: no such field in body
                allowed: note
                did you mean: note
              records.order.other.note: the value that body has
                allowed: another value that it may have""",
            id="other values of what there is not",
        ),
        pytest.param(
            "[cors]\norigins = ['www.shop.example']\n",
            """\
              cors.origins[#1]: found "www.shop.example"
                allowed: scheme, host and port only, such as https://www.example.org""",
            id="an origin without a scheme, as in the guide",
        ),
        pytest.param(
            "[timestamps]\nzone = 'Asia/Jakata'\n",
            """\
              timestamps.zone: found "Asia/Jakata"
                allowed: a time zone such as Asia/Jakarta or UTC""",
            id="unknown time zone",
        ),
        pytest.param(
            UPDATED.replace("kind = 'update'", "kind = 'report'"),
            """\
              records.book.updates: "shelve" is of another kind
                allowed: none: this file declares no fitting endpoint""",
            id="an update of another kind",
        ),
        pytest.param(
            UPDATED.replace("body = { shelf = 'B2' }\n", ""),
            """\
              endpoints[shelve].body: missing, although records.book.updates names it
                allowed: the fields that it changes, with other values than before; or effect""",
            id="an update of nothing",
        ),
        pytest.param(
            UPDATED.replace("shelf = 'B2'", "title = 'B2'"),
            """\
              endpoints[shelve].body: another title than records.book.body has
                allowed: the same one: the run finds its records by it""",
            id="an update that takes the mark away",
        ),
        pytest.param(
            UPDATED.replace("read = 'read'\n", ""),
            """\
              records.book.read: missing, although updates is there
                allowed: the endpoint that shows what was changed""",
            id="an update that nothing shows",
        ),
        pytest.param(
            UPDATED.replace("body = { shelf", "untried = 'a whim'\nbody = { shelf"),
            """\
              endpoints[shelve].untried: there, although records.book tries it
                allowed: one of the two""",
            id="an update that is tried and not",
        ),
        pytest.param(
            UPDATED.replace("body = { shelf", "repeated_status = 409\nif_match = true\nbody = { shelf"),
            """\
              endpoints[shelve].repeated_status: there, although if_match is
                allowed: one of them: the same entity tag is outdated the second time""",
            id="an update that is made once, and has a tag",
        ),
        pytest.param(
            UPDATED.replace('updates = ["shelve"]\n', "").replace(
                "body = { shelf", "repeated_status = 409\nbody = { shelf"
            ),
            """\
              endpoints[shelve].repeated_status: there, although no record's updates names the endpoint
                allowed: nothing, or updates = ["shelve"] of a record""",
            id="an update that is made once, of nothing",
        ),
        pytest.param(
            UPDATED.replace("body = { shelf = 'B2' }\n", "effect = { shelf = '{changes}' }\n"),
            """\
              endpoints[shelve].effect.shelf: unknown placeholder {changes}
                allowed: {mark}, {changed}, {sentinel:NAME}
                did you mean: {changed}""",
            id="an effect with an unknown placeholder",
        ),
        pytest.param(
            endpoint(keyed=True, id_field="key.no", empty="none yet", shows="order"),
            """\
              endpoints[orders].id_field: "key.no", although keyed is there
                allowed: a field without a dot, which takes the id of each entry
              endpoints[orders].empty: there, although shows is there
                allowed: one of them: a list that shows a record of the run's own is not empty""",
            id="a list by id with an id within, and one that is empty and is not",
        ),
        pytest.param(
            endpoint(kind="report", total="meta.total", empty="x", keyed=True),
            """\
              endpoints[orders].total: there, although kind = "report"
                allowed: kind = "list"
              endpoints[orders].empty: there, although kind = "report"
                allowed: kind = "list"
              endpoints[orders].keyed: there, although kind = "report"
                allowed: kind = "list\"""",
            id="a report that is no list",
        ),
        pytest.param(
            "[timestamps]\nepoch = { exp = 'secs' }\n",
            """\
              timestamps.epoch.exp: found the string "secs"
                allowed: "seconds", "milliseconds", "microseconds" or "nanoseconds"
                did you mean: seconds""",
            id="unknown unit of an epoch",
        ),
        pytest.param(
            endpoint(body_type="text/html"),
            """\
              endpoints[orders].body_type: there, although GET changes nothing
                allowed: nothing, or another method""",
            id="a safe endpoint with a body",
        ),
        pytest.param(
            endpoint() + "private = true\n",
            """\
              endpoints[orders].private: there, although shows is missing, or it is no list of several roles
                allowed: a list that several roles may ask for, and the record that it shows""",
            id="a private list of one",
        ),
        pytest.param(
            endpoint(role="clerk") + "hidden_from = ['clerk', 'stranger']\n",
            """\
              endpoints[orders].hidden_from: with "clerk", the role that calls it
                allowed: roles for which what it is about does not exist""",
            id="an endpoint that is hidden from its role",
        ),
        pytest.param(
            endpoint(role="clerk") + "allowed = ['clerk', 'manager']\nhidden_from = ['manager']\n",
            """\
              endpoints[orders].hidden_from: with "manager", which is allowed, and it is no list with shows
                allowed: roles that are not allowed, or a list and the record that it shows""",
            id="an endpoint that is hidden and allowed",
        ),
        pytest.param(
            endpoint() + "hidden_from = ['manager']\n",
            """\
              endpoints[orders].role: missing, although hidden_from is there
                allowed: the role that calls it""",
            id="a public endpoint that is hidden",
        ),
        pytest.param(
            endpoint(role="clerk") + "hidden_from = ['manger']\n",
            """\
              endpoints[orders].hidden_from: no role "manger"
                allowed: clerk, manager
                did you mean: manager""",
            id="an endpoint that is hidden from nobody there is",
        ),
        pytest.param(
            "[pages]\nrole = 'clerk'\nshows = 'main'\nentries = 'li'\n",
            """\
              pages.entries_from: missing, although entries is there
                allowed: both: the elements of the page, and the list (by name) that has them""",
            id="entries of a page from nowhere",
        ),
        pytest.param(
            "[pages]\nrole = 'clerk'\nshows = 'main'\nentries = 'li'\nentries_from = 'orders'\n"
            + endpoint(role="manager"),
            """\
              pages.entries_from: "orders" is of another kind
                allowed: none: this file declares no fitting endpoint""",
            id="entries of a page that its role may not see",
        ),
        pytest.param(
            endpoint(cursor="after"),
            """\
              endpoints[orders].next: missing, although cursor is there
                allowed: the field of the answer that holds the cursor""",
            id="a cursor from nowhere",
        ),
        pytest.param(
            endpoint(method="GET", untried="a whim"),
            """\
              endpoints[orders].untried: there, although GET changes nothing
                allowed: nothing: every safe endpoint is asked""",
            id="a safe endpoint that is not tried",
        ),
        pytest.param(
            "[notice]\ntitle = 'a'\nchanges = ['b']\ndowntime_min = [5, 2]\n",
            """\
              notice.downtime_min: found [5, 2]
                allowed: the shorter one first, such as [2, 5]""",
            id="downtime the wrong way round",
        ),
        pytest.param(
            "[[known_issues]]\ntitle = 'a defect'\nowner = 'A'\n",
            """\
              known_issues[a defect]: neither waiver nor check, or both
                allowed: one of waiver and check""",
            id="a known issue that nothing covers",
        ),
        pytest.param(
            "[images]\nbackend = 'registry.example/shop:latest'\n",
            """\
              images.backend: found "registry.example/shop:latest"
                allowed: an image with its digest: name@sha256: and 64 hexadecimal digits""",
            id="an image by tag",
        ),
        pytest.param(
            "[headers]\nX-Api-Key = 'hunter2-hunter2'\n",
            """\
              headers.X-Api-Key: a literal value (not shown)
                allowed: [sign_in], [api_key], or rate.verification in the environment file""",
            id="a secret header",
        ),
        pytest.param(
            "[api_key]\n",
            """\
              api_key: beside sign_in
                allowed: one of them""",
            id="two ways to sign in",
        ),
        pytest.param(
            OTHER.format(role="manger", more=""),
            """\
              other_sign_ins[#1].role: no role "manger"
                allowed: clerk, manager
                did you mean: manager""",
            id="unknown role of another sign-in",
        ),
        pytest.param(
            OTHER.format(role="clerk", more=""),
            """\
              other_sign_ins: "clerk" is named twice
                allowed: one way for each role""",
            id="a role that signs in in two ways",
        ),
        pytest.param(
            OTHER.format(role="manager", more="basic = ['{username}', 'hunter2']"),
            """\
              other_sign_ins[#1].basic: a literal password (not shown)
                allowed: a name and a password by placeholder: ["{username}", "{password}"]""",
            id="a literal password for HTTP Basic",
        ),
        pytest.param(
            OTHER.format(role="manager", more="basic = ['{username}']"),
            """\
              other_sign_ins[#1].basic: found ['{username}']
                allowed: a name and a password by placeholder: ["{username}", "{password}"]""",
            id="a name without a password",
        ),
        pytest.param(
            OTHER.format(role="manager", more="csrf = { path = '/form', input = 'a', cookie = 'b' }"),
            """\
              other_sign_ins[#1].csrf.input: input and cookie to say where the token is
                allowed: one of input = "NAME", field = "dotted.field" and cookie = "NAME\"""",
            id="a CSRF token in two places",
        ),
        pytest.param(
            OTHER.format(role="manager", more="csrf = { path = '/form', input = 'a' }"),
            """\
              other_sign_ins[#1].body: no {csrf} in it, although csrf is there
                allowed: csrf = "{csrf}" in the body, or header in the table csrf""",
            id="a CSRF token that nothing carries",
        ),
        pytest.param(
            OTHER.format(
                role="manager",
                more="csrf = { path = '/form', input = 'a', header = 'X-CSRF', signed_in_path = '/' }",
            ),
            """\
              other_sign_ins[#1].csrf.signed_in_path: there, although its token is no cookie
                allowed: nothing, or cookie in place of token""",
            id="a page for a session that is none",
        ),
        pytest.param(
            "[sign_out]\npath = '/out'\nbody = { token = '{csrf}' }\n",
            """\
              sign_out.body: {csrf}, although sign_in.csrf is missing
                allowed: [sign_in.csrf] beside it""",
            id="a sign-out with a CSRF token that nothing shows",
        ),
        pytest.param(
            endpoint(method="POST"),
            """\
              endpoints[orders].kind: "list", although POST may write
                allowed: create, update, delete, action, report or page; or read_only = true beside it""",
            id="a list that is read by POST",
        ),
        pytest.param(
            endpoint(read_only=True),
            """\
              endpoints[orders].read_only: there, although the method is GET
                allowed: nothing, or method = "POST\"""",
            id="read_only where it says nothing",
        ),
        pytest.param(
            endpoint(method="POST", read_only=True, next="next"),
            """\
              endpoints[orders].next: there, although a list that is read by POST is not followed
                allowed: nothing; let its body ask for as many entries as there can be""",
            id="a second page of a list that is read by POST",
        ),
        pytest.param(
            endpoint(method="POST", read_only=True, untried="why"),
            """\
              endpoints[orders].untried: there, although read_only says that it changes nothing
                allowed: nothing: every safe endpoint is asked""",
            id="read_only and untried",
        ),
        pytest.param(
            endpoint(method="POST", kind="read", read_only=True) + "body = { n = '{id:number}' }\n",
            """\
              endpoints[orders].ids_from: missing, and nothing fills {id} in its body
                allowed: a list or read endpoint, or a record that it reads""",
            id="an id in a body that nothing fills",
        ),
        pytest.param(
            endpoint(method="POST", kind="action") + "body = { n = '{id}' }\n",
            """\
              endpoints[orders].body: an id, although no record is read, changed or removed by it
                allowed: a record that names this endpoint""",
            id="an id in the body of what writes",
        ),
        pytest.param(
            endpoint(method="POST", read_only=True)
            + "body = { query = '{ jobs { total } }', n = '{totl}' }\n",
            """\
              endpoints[orders].body.n: unknown placeholder {totl}
                allowed: {mark}, {sentinel:NAME}, {id}, {id:number}""",
            id="braces that are a placeholder, beside those of GraphQL",
        ),
        pytest.param(
            endpoint(method="POST", read_only=True) + "body = { n = '{ mark }' }\n",
            """\
              endpoints[orders].body.n: unknown placeholder { mark }
                allowed: {mark}, {sentinel:NAME}, {id}, {id:number}
                did you mean: {mark}""",
            id="a placeholder with spaces",
        ),
    ],
)
def test_a_mistake_in_a_release(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.toml").write_text(RELEASE + text, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "shop.toml")

    answer = str(caught.value)
    assert answer == head(answer.count("allowed: ")) + indented(message)
    assert "hunter2" not in answer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("health = { path = '/' }", "health.ready: nothing, or both ready and text"),
        ("health = { path = '/', ready = {} }", "health.ready: nothing, or both ready and text"),
        (
            HEALTH
            + "sign_in = { path = '/', body = { client_secret = 'hunter2' }, token = 't', role = 'clerk' }",
            "sign_in.body.client_secret: a literal value (not shown)",
        ),
        (
            HEALTH + "sign_in = { path = '/', body = {}, role = 'clerk' }",
            "sign_in.token: nothing, or both token and cookie",
        ),
        (
            HEALTH + endpoint(role="clerk"),
            "sign_in: missing, although orders is called with a role",
        ),
        (
            HEALTH + "refresh = { path = '/refresh' }",
            "refresh: there, although sign_in is missing",
        ),
    ],
)
def test_a_release_that_cannot_be_verified(text: str, message: str, refused: Refused) -> None:
    answer = refused(f"version = '1'\nroles = ['clerk']\n{text}", Release)

    assert f"\n  {message}" in answer
    assert "hunter2" not in answer


# ---------------------------------------------------------------- one file beside another


def test_items_that_the_checklist_does_not_have() -> None:
    environment = Environment.model_validate(
        {
            "name": "shop",
            "release": "1",
            "identity": {"unproven": "no field"},
            "not_applicable": {"SMK-1": "here is none", "SMK-33": "nor here"},
        }
    )

    assert unknown_items(environment, ["SMK-1", "SMK-3"]) == (
        Mistake(
            "not_applicable.SMK-33",
            'no item "SMK-33"',
            "an id of the checklist (checks/checklist.toml)",
            "SMK-3",
        ),
    )


def test_what_a_release_needs_and_an_environment_lacks(tmp_path: Path) -> None:
    path = tmp_path / "release.toml"
    path.write_text(
        RELEASE
        + endpoint(role="manager")
        + endpoint(name="order", method="POST", kind="create", role="clerk")
        + "[records.order]\ncreate = 'order'\nmark_field = 'note'\nundo = 'none'\nresidue = 'an order'\n"
        "body = { note = '{mark}', product = '{sentinel:product}' }\n",
        encoding="utf-8",
    )
    environment = Environment.model_validate(
        {
            "name": "shop",
            "release": "1",
            "identity": {"unproven": "no field"},
            "roles": {"clerk": {"token": "env:TOKEN"}, "manger": {"username": "a", "password": "env:A"}},
            "sentinels": {"produkt": 1},
        }
    )

    assert mismatches(environment, load(path)) == (
        Mistake(
            "roles.clerk.token",
            "a ready-made token, and the release signs in with a username and a password",
            "username and password",
        ),
        Mistake(
            "roles.manager",
            "missing, and endpoint orders of the release uses it",
            "credentials for this role",
            "manger",
        ),
        Mistake(
            "sentinels.product",
            "missing, and records.order.body.product of the release uses it",
            "the id or name of a record reserved for verification",
            "produkt",
        ),
    )
