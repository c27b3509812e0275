"""Every fault of credentials turns its item red, with a message that names the cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, credentials

if TYPE_CHECKING:
    from collections.abc import Callable

TOGETHER = {
    ("default-signing-key", "database-default-password", "api-key-kept"): {
        "SEC-PRE-4": r"200 to a token with a well-known key: the old example of jwt\.io$",
        "SEC-PRE-5": r"^postgres gets in with its own name as the password$",
        "SEC-PRE-6": r"^200 to the key in embedded:previous_board_key$",
    },
    ("signing-key-kept", "database-password-kept", "api-key-old"): {
        "SEC-PRE-4": r"^200 to a token with a previous key: embedded:previous_signing_key as it is$",
        "SEC-PRE-5": r"^erp_app gets in with the password in embedded:previous_database_password$",
        "SEC-PRE-6": r"^it is 400 days old$",
    },
    ("signing-key-old", "application-role-superuser"): {
        "SEC-PRE-4": r"^the signing key is 400 days old$",
        "SEC-PRE-5": r"^erp_app: superuser$",
    },
    ("endless-token-accepted", "database-passwords-by-md5"): {
        "SEC-PRE-4": r"^200 to a token with no end$",
        "SEC-PRE-5": r"^password_encryption = md5$",
    },
    ("strange-algorithm-500", "default-account"): {
        "SEC-PRE-4": r"500 to a token with another algorithm: alg RS256",
        "SEC-PRE-5": r"^signing in as test/test answers 200$",
    },
    ("database-trust",): {
        "SEC-PRE-5": r"erp_app gets in without one \(server did not complete authentication\)",
    },
}
"""Faults of different items, tried in one run, and what the message of each red item says."""

OF_VALIDATION = {
    ("alg-none-accepted",): r"200 to a token with no signature: alg none",
    ("expired-token-accepted",): r"200 to a token with an end that is over",
    (
        "refresh-token-as-access",
        "sign-out-ends-nothing",
    ): r"200 to a refresh token.*\n.*200 to the token after",
}
"""Faults that the validation phase shows first, and this one too."""

JUDGED = {credentials.TOKENS, credentials.PASSWORDS, credentials.KEYS}
FILES = "test_tokens or test_database_credentials or test_api_keys or test_default_accounts"
MINE = {fault.name for fault in FAULTS.values() if fault.phase == "security" and set(fault.items) <= JUDGED}


def test_every_fault_has_a_cause_here() -> None:
    assert sorted(name for names in TOGETHER for name in names) == sorted(MINE)
    for names, causes in TOGETHER.items():
        assert sorted(item for name in names for item in FAULTS[name].items) == sorted(causes)


@pytest.mark.parametrize("names", TOGETHER, ids=" and ".join)
def test_fault_turns_its_item_red_and_no_other(
    names: tuple[str, ...], verdict_under: Callable[..., Any]
) -> None:
    verdict = verdict_under("security", *names, keywords=FILES)

    assert red(verdict) == set(TOGETHER[names])
    for item_id, cause in TOGETHER[names].items():
        told = seen(verdict, item_id)
        assert re.search(cause, told, re.MULTILINE), told


@pytest.mark.parametrize("names", OF_VALIDATION, ids=" and ".join)
def test_fault_of_the_validation_phase_shows_here_too(
    names: tuple[str, ...], verdict_under: Callable[..., Any]
) -> None:
    verdict = verdict_under("security", *names, keywords=FILES)

    assert red(verdict) == {"SEC-PRE-4"}
    told = seen(verdict, "SEC-PRE-4")
    assert re.search(OF_VALIDATION[names], told), told


@pytest.mark.parametrize("n", [None, 2])
def test_healthy_release_has_no_finding(n: int | None, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("security", keywords=FILES, n=n)

    assert {item_id: verdict["items"][item_id]["outcome"] for item_id in JUDGED} == dict.fromkeys(
        JUDGED, "PASSED"
    )
    assert verdict["requests"]["sent"] < 120


def red(verdict: dict[str, Any]) -> set[str]:
    """Return the items that turned red."""
    return {item_id for item_id, item in verdict["items"].items() if item["outcome"] == "FAILED"}


def seen(verdict: dict[str, Any], item_id: str) -> str:
    """Return what every failed check of an item has seen, one a line."""
    failed = [each for each in verdict["records"] if item_id in each["items"] and each["outcome"] == "FAILED"]
    return "\n".join(each["seen"] for each in failed)
