"""The suite on a purchasing system that it does not know, with nothing but two files written for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.systems import suite
from tests.systems.enterprise import ENVIRONMENT, KEYS, RELEASE, Enterprise, serving
from tests.systems.enterprise_contract import PREFIX

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {"ENTERPRISE_BUYER": KEYS["buyer"], "ENTERPRISE_AUDITOR": KEYS["auditor"]}
OWN_CHECKS = (
    "test_contract or test_timestamps and not flows or test_only_the_permitted or test_nothing_undeclared"
)
"""The checks of the validation phase that judge what the release file, or the document, promises."""


def judged(
    enterprise: Enterprise, folder: Path, phase: str, only: str = "", *, from_host: bool = False
) -> list[dict[str, Any]]:
    """Return the records of one phase, without those that passed or do not apply.

    Args:
        enterprise: the system.
        folder: for the two files.
        phase: the marker.
        only: which of its checks, for ``-k``.
        from_host: the API's address is that of the host, and the paths of the release file are whole.
    """
    whole = re.sub(r'((?:path|openapi) = ")/', rf"\1{PREFIX}/", RELEASE)
    with serving(enterprise) as url:
        address = url.removesuffix(PREFIX) if from_host else url
        found = suite.applying(
            suite.judged(
                folder,
                release=whole if from_host else RELEASE,
                environment=ENVIRONMENT.format(release="release.toml", url=address),
                secrets=SECRETS,
                phase=phase,
                only=only,
            )
        )
    passed = [record for record in found if record["outcome"] == "PASSED"]
    assert len(passed) > 20, "hardly anything was judged"
    return [record for record in found if record not in passed]


def told(records: list[dict[str, Any]]) -> list[str]:
    return [
        f"{record['outcome']} {record['items'][0]} {record['test']} {record['seen']}".replace("\n", " ")
        for record in records
    ]


def test_smoke_is_content_with_lists_of_every_shape(tmp_path: Path) -> None:
    enterprise = Enterprise()
    before = dict(enterprise.suppliers)

    assert told(judged(enterprise, tmp_path, "smoke")) == []
    assert enterprise.suppliers == before


def test_it_may_be_described_from_its_host_on(tmp_path: Path) -> None:
    assert told(judged(Enterprise(), tmp_path, "validation", OWN_CHECKS, from_host=True)) == []


@pytest.mark.parametrize("dialect", ["3.1", "3.0", "2.0", "yaml"])
def test_a_healthy_system_keeps_its_contract_in_every_dialect(dialect: str, tmp_path: Path) -> None:
    enterprise = Enterprise(dialect=dialect)
    before = dict(enterprise.suppliers)

    assert told(judged(enterprise, tmp_path, "validation", OWN_CHECKS)) == []
    assert enterprise.suppliers == before
    asked = {line.partition("?")[0].partition("/erp/api/v2")[2] for line in enterprise.asked}
    assert {"/suppliers/S-003", "/suppliers/A%2F7%20b", "/suppliers/%C3%BC"} <= asked
    assert {"/suppliers/S-003/contacts", "/orders/PO-2026-0001/history", "/invoices/INV-9"} <= asked
    assert {"/orders/PO-2026-0001/lines", "/orders/PO-2026-0001/lines/10"} <= asked
    assert not [path for path in asked if "%7B" in path], "a placeholder was asked for as it stands"


IN_A_BUNDLE = (
    r"VAL-API-1 .+\[GET /orders\] .+ at .+orders\[1\].lines\[1\].lines\[0\].quantity: 0 is less than"
)


@pytest.mark.parametrize(
    ("dialect", "broken", "cause"),
    [
        ("3.1", "a part in a bundle has no quantity", IN_A_BUNDLE),
        ("3.0", "a part in a bundle has no quantity", IN_A_BUNDLE),
        ("2.0", "a part in a bundle has no quantity", IN_A_BUNDLE),
        (
            "yaml",
            "invoices are public",
            "VAL-ACC-1 .+undeclared_is_public GET /invoices answers 200 to anybody",
        ),
        (
            *("3.0", "a count in a map is naive"),
            r"REL-TIME-1 .+/warehouses: \$\['c0a8012e.+'\].bins\['A-1'\].counted_at = .+ has no offset",
        ),
        (
            *("3.1", "milliseconds are seconds"),
            "REL-TIME-1 .+posted_at = '1764400000' is a number of seconds since 1970, milliseconds are",
        ),
        (
            *("2.0", "suppliers are plain JSON"),
            r"VAL-API-1 .+\[GET /suppliers\] .+is application/json instead of application/vnd.api\+json",
        ),
        (
            *("3.1", "an id with a slash is not found"),
            r"VAL-API-1 .+\[GET /suppliers/\{supplier_id\}\] .+for id 'A/7 b' answers 404 instead of 200",
        ),
        (
            *("yaml", "second page repeats"),
            r"VAL-API-1 .+\[GET /suppliers\] .+on its second page shows the same entries as the first",
        ),
        (
            *("3.0", "total is of the page"),
            r"VAL-API-1 .+\[GET /orders\] .+there are 3 entries in all, and its first two pages show 6",
        ),
        (
            *("3.1", "limit is ignored"),
            r"VAL-API-1 .+\[GET /ledger/entries\] .+has 7 entries, although limit = 3 asks for no more",
        ),
    ],
)
def test_a_broken_system_fails_where_it_is_broken(
    dialect: str, broken: str, cause: str, tmp_path: Path
) -> None:
    (seen,) = told(judged(Enterprise(broken, dialect=dialect), tmp_path, "validation", OWN_CHECKS))

    assert re.match(f"FAILED {cause}", seen), seen


def test_a_line_that_its_list_shows_and_nothing_else_is_one_finding(tmp_path: Path) -> None:
    enterprise = Enterprise("a line that is listed is not found", dialect="2.0")
    found, *open_ = sorted(told(judged(enterprise, tmp_path, "validation", OWN_CHECKS)))
    line = r".+GET /orders/\{order_code\}/lines/\{line_no\}"

    assert re.match(rf"FAILED VAL-API-1 {line}\] .+answers 404 instead of 200", found), found
    assert all(re.match(rf"UNKNOWN (VAL-ACC-1|REL-TIME-[12]) {line}", each) for each in open_), open_


def test_a_broken_document_is_a_finding_and_leaves_open_what_it_should_judge(tmp_path: Path) -> None:
    seen = told(judged(Enterprise(dialect="broken"), tmp_path, "validation", OWN_CHECKS))
    gone = "the schema refers to '/components/schemas/Bin', which is not there"
    causes = [
        rf"UNKNOWN VAL-API-1 .+\[GET /warehouses\] .+{gone}",
        rf"UNKNOWN VAL-API-1 .+\[GET /warehouses/\{{warehouse_id\}}\] .+{gone}",
        rf"UNKNOWN VAL-API-1 .+\[GET /reports/stock\] .+{gone}",
        r"FAILED VAL-API-1 .+an_openapi_document refers to #/components/schemas/Bin \(in /components/",
    ]

    assert all(re.match(cause, text) for cause, text in zip(causes, seen, strict=True)), seen
