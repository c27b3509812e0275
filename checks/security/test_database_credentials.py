"""The database lets in who knows the new password, nobody else, and the application not as a superuser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.database_sign_in import SCRAM, SUPERUSER
from fixtures.observation import CannotObserve

if TYPE_CHECKING:
    from fixtures.database_sign_in import Attempt, DatabaseSignIn, Method

pytestmark = pytest.mark.security

PG_HBA = "let pg_hba.conf ask for scram-sha-256 in every line, and reload the server"
BY_HAND = "psql 'host=... dbname=... user={role} require_auth=scram-sha-256' -c 'SELECT 1'"


@item("SEC-PRE-5")
def test_previous_password_is_refused(
    database_sign_in: DatabaseSignIn, measured: Measured, exhibits: Exhibits
) -> None:
    """The passwords that the application's role had before no longer let anybody in."""
    _refused(
        database_sign_in.previous(), measured, exhibits, "change the password, and the service's settings"
    )


@item("SEC-PRE-5")
def test_default_passwords_are_refused(
    database_sign_in: DatabaseSignIn, measured: Measured, exhibits: Exhibits
) -> None:
    """No well-known password lets in the application's role or the superuser."""
    _refused(database_sign_in.defaults(), measured, exhibits, "set a random password now")


@item("SEC-PRE-5")
def test_no_role_gets_in_without_a_password(
    database_sign_in: DatabaseSignIn, measured: Measured, exhibits: Exhibits
) -> None:
    """The server asks every role that matters for a password: no line of pg_hba.conf says trust."""
    methods = database_sign_in.methods()
    exhibits.table("How the database asks for passwords", ("role", "by", "it says"), _rows(methods))
    trusted = [each for each in methods if each.name == "none"]
    measured(len(trusted), limit=0, unit=f"of {len(methods)} roles")

    assert not trusted, explain(
        expected="a password is asked for",
        seen="; ".join(f"{each.role} gets in without one ({each.said})" for each in trusted),
        next=PG_HBA,
        by_hand=BY_HAND.format(role=trusted[0].role),
    )
    _require_seen(methods)


@item("SEC-PRE-5")
def test_passwords_are_asked_for_by_scram(database_sign_in: DatabaseSignIn, measured: Measured) -> None:
    """The server asks for passwords by scram-sha-256: none goes over the line in the clear or as MD5."""
    methods = database_sign_in.methods()
    others = [each for each in methods if each.name in {"another", "none"}]
    measured(", ".join(dict.fromkeys(each.name for each in methods)), limit=SCRAM)

    assert not others, explain(
        expected=SCRAM,
        seen="; ".join(f"{each.role}: {each.said}" for each in others),
        next=PG_HBA,
        by_hand=BY_HAND.format(role=others[0].role),
    )
    _require_seen(methods)


@item("SEC-PRE-5")
def test_passwords_are_kept_by_scram(database_sign_in: DatabaseSignIn, measured: Measured) -> None:
    """A password that is set from now on is kept as scram-sha-256."""
    found = database_sign_in.password_encryption()
    measured(found, limit=SCRAM)

    assert found == SCRAM, explain(
        expected=f"password_encryption = {SCRAM}",
        seen=f"password_encryption = {found}",
        next=f"set password_encryption = {SCRAM}, then set every password again",
        by_hand="SHOW password_encryption",
    )


@item("SEC-PRE-5")
def test_application_role_is_no_superuser(database_sign_in: DatabaseSignIn, measured: Measured) -> None:
    """The application's role is no superuser, can become none, and makes no roles or databases."""
    rights = database_sign_in.rights()
    too_much = (*rights.own, *rights.through)
    measured(", ".join(too_much) or "none of them")

    assert not too_much, explain(
        expected=f"{rights.role} without SUPERUSER, CREATEROLE, CREATEDB, REPLICATION and BYPASSRLS",
        seen=f"{rights.role}: {', '.join(too_much)}",
        next=f"take it from {rights.role}; let migrations and administration use a role of their own",
        by_hand=f"\\du {rights.role}",
    )


@item("SEC-PRE-5")
def test_application_password_has_not_expired(database_sign_in: DatabaseSignIn, measured: Measured) -> None:
    """The password of the application's role is still valid, if it expires at all (days left)."""
    rights = database_sign_in.rights()
    if rights.days_left is None:
        measured("no expiry date")
        return
    measured(round(rights.days_left, 1), limit=0, unit="days left")

    assert rights.days_left > 0, explain(
        expected=f"a password of {rights.role} that is still valid",
        seen=f"it expired {-rights.days_left:.1f} days ago: no new session can be opened with it",
        next="set a new password with a new VALID UNTIL, and change the service's settings",
        by_hand=f"\\du {rights.role}",
    )


# ---------------------------------------------------------------- judging


def _refused(attempts: tuple[Attempt, ...], measured: Measured, exhibits: Exhibits, remedy: str) -> None:
    rows = [(each.role, each.password, each.outcome, each.said) for each in attempts]
    exhibits.table("Attempts to sign in to the database", ("role", "password", "outcome", "it says"), rows)
    accepted = [each for each in attempts if each.outcome == "accepted"]
    measured(len(accepted), limit=0, unit=f"of {len(attempts)} passwords")

    assert not accepted, explain(
        expected="an authentication error",
        seen="; ".join(f"{each.role} gets in with {each.password}" for each in accepted),
        next=remedy,
        by_hand=BY_HAND.format(role=accepted[0].role),
    )
    unseen = [f"as {each.role}: {each.said}" for each in attempts if not _is_seen(each.role, each.outcome)]
    _require(unseen)


def _require_seen(methods: tuple[Method, ...]) -> None:
    _require([f"as {each.role}: {each.said}" for each in methods if not _is_seen(each.role, each.name)])


def _is_seen(role: str, outcome: str) -> bool:
    """Return whether an outcome says anything: a superuser that may not come from here is kept out well."""
    return outcome not in {"unclear", "not from here"} or (role == SUPERUSER and outcome == "not from here")


def _require(unseen: list[str]) -> None:
    """Let a claim about refusals stand only where all attempts were answered.

    Raises:
        CannotObserve: some were not.
    """
    if unseen:
        raise CannotObserve(
            "signing in to the database",
            "; ".join(dict.fromkeys(unseen)),
            remedy="run it where the application runs; lc_messages has to be English",
        )


def _rows(methods: tuple[Method, ...]) -> list[tuple[str, str, str]]:
    return [(each.role, each.name, each.said) for each in methods]
