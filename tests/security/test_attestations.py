"""Statements signed with real SSH keys: the one that holds, and every way not to hold."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from checks import attest
from fixtures.attestation_file import LONGEST_DAYS, NAMESPACE, DoesNotHold, Scope, Signed, signed
from fixtures.attestations import Attestations
from fixtures.environment import Environment
from fixtures.observation import Attested, CannotObserve, Pending
from fixtures.release import Release
from reports.record import Outcome
from reports.recorder import classify, limited

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on this machine")

ITEM, LEAD, OTHER, ROLE = "SEC-POST-5", "lead@example.org", "other@example.org", "Security Lead"
ROLES = {LEAD: (ROLE, "DevOps Lead"), OTHER: ("QA Lead",), "deputy@example.org": (ROLE,)}
SCOPE = Scope(ITEM, "production", "1.0.0", "5e55101", ROLE)
TODAY = datetime.now(UTC).date()
LINK = '{ link = "https://wiki.example.org/tests/7?view=1" }'


def keygen(*arguments: object) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for each signer, and the file that says so."""
    folder = tmp_path_factory.mktemp("keys")
    lines = []
    for name in (LEAD, OTHER):
        keygen("-t", "ed25519", "-N", "", "-C", name, "-f", folder / name)
        lines.append(f"{name} {(folder / f'{name}.pub').read_text()}")
    (folder / "allowed_signers").write_text("".join(lines))
    (folder / "expired_signers").write_text(lines[0].replace(LEAD, f'{LEAD} valid-before="20200101"', 1))
    return folder


@dataclass
class Desk:
    """Where statements are written and signed."""

    folder: Path
    keys: Path
    allowed: str = "allowed_signers"

    @property
    def file(self) -> Path:
        return self.folder / f"{ITEM}.toml"

    def write(self, *, evidence: str = LINK, facts: str = "", **changes: Any) -> None:
        said: dict[str, Any] = {
            "item": ITEM,
            "environment": "production",
            "release": "1.0.0",
            "commit": "5e55101",
            "signer": LEAD,
            "role": ROLE,
            "made": TODAY,
            "expires": TODAY + timedelta(days=30),
            "statement": "It is booked.",
            **changes,
        }
        lines = [
            f"{name} = {value}" if isinstance(value, date) else f'{name} = "{value}"'
            for name, value in said.items()
            if value is not None
        ]
        self.file.write_text("\n".join([*lines, f"evidence = [{evidence}]", facts, ""]), encoding="utf-8")

    def sign(self, *, key: str = LEAD, namespace: str = NAMESPACE) -> None:
        keygen("-Y", "sign", "-n", namespace, "-f", self.keys / key, self.file)

    def judge(self, scope: Scope = SCOPE) -> Signed:
        return signed(self.file, self.keys / self.allowed, ROLES, scope)

    def refused(self, scope: Scope = SCOPE) -> DoesNotHold:
        with pytest.raises(DoesNotHold) as caught:
            self.judge(scope)
        assert "\n" not in str(caught.value)
        return caught.value


@pytest.fixture
def desk(tmp_path: Path, keys: Path) -> Desk:
    return Desk(tmp_path, keys)


# ---------------------------------------------------------------- it holds


def test_a_signed_statement_holds(desk: Desk) -> None:
    (desk.folder / "order.pdf").write_bytes(b"ordered")
    digest = hashlib.sha256(b"ordered").hexdigest()
    desk.write(
        evidence=f'{LINK}, {{ file = "order.pdf", sha256 = "{digest}" }}',
        facts="[facts]\nscheduled = 2026-12-14\ndays = 3",
    )
    desk.sign()

    proven = desk.judge()

    assert proven.by.startswith(
        f"{LEAD} ({ROLE}) on {TODAY}, valid until {TODAY + timedelta(days=30)}: It is"
    )
    assert proven.facts["facts"] == {"scheduled": "2026-12-14", "days": 3}
    assert proven.facts["signer"] == LEAD
    assert proven.key.startswith("SHA256:")
    by_hand = subprocess.run(["bash", "-c", proven.by_hand], check=True, capture_output=True, text=True)
    assert by_hand.stdout.startswith(f'Good "{NAMESPACE}" signature for {LEAD}')


@pytest.mark.parametrize(
    ("made", "expires"),
    [
        (TODAY - timedelta(days=20), TODAY),
        (TODAY, TODAY + timedelta(days=LONGEST_DAYS)),
        (TODAY, TODAY),
    ],
)
def test_it_holds_from_its_first_to_its_last_day(desk: Desk, made: date, expires: date) -> None:
    desk.write(made=made, expires=expires)
    desk.sign()

    assert desk.judge().statement.expires == expires


def test_a_release_without_a_commit_needs_none(desk: Desk) -> None:
    desk.write(commit=None)
    desk.sign()

    assert desk.judge(replace(SCOPE, commit="")).statement.commit is None


# ---------------------------------------------------------------- it does not


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"item": "SEC-POST-3"}, r"is about item SEC-POST-3, and this is SEC-POST-5"),
        ({"environment": "staging"}, r"is about environment staging, and this is production"),
        ({"release": "0.9.0"}, r"is about release 0\.9\.0, and this is 1\.0\.0"),
        ({"commit": "0c41d7e"}, r"is about commit 0c41d7e, and this is 5e55101"),
        ({"commit": None}, r"is about commit none, and this is 5e55101"),
        ({"made": TODAY - timedelta(9), "expires": TODAY - timedelta(1)}, r"expired: \S+ was its last day"),
        ({"made": TODAY + timedelta(2), "expires": TODAY + timedelta(9)}, r"does not hold yet: .* made on"),
        ({"expires": TODAY + timedelta(LONGEST_DAYS + 1)}, r"expires: found .*; allowed: a day from"),
        ({"made": TODAY, "expires": TODAY - timedelta(1)}, r"expires: found .*; allowed: a day from"),
        ({"role": "DevOps Lead"}, r"made as DevOps Lead, and SEC-POST-5 is for the Security Lead to attest"),
        ({"signer": OTHER}, r"who has only the roles QA Lead; the Security Lead attests SEC-POST-5"),
        ({"signer": "x@example.org"}, r"who is no signer of this environment"),
        ({"signer": "deputy@example.org"}, r"not valid: no key of deputy@example\.org in \S+ made it"),
        ({"statement": ""}, r"statement: an empty string"),
        ({"surprise": "x"}, r"surprise: no such key"),
        ({"made": None}, r"made: missing"),
        ({"evidence": ""}, r"evidence: .*allowed: at least 1"),
        ({"evidence": '{ link = "" }'}, r"evidence\[#1\]\.link: found"),
        ({"evidence": "{}"}, r"neither a link nor a file with its digest"),
        ({"evidence": '{ file = "order.pdf" }'}, r"neither a link nor a file with its digest"),
        ({"evidence": '{ link = "https://user:secret@example.org/" }'}, r"without credentials"),
    ],
)
def test_it_is_refused_although_it_is_signed(desk: Desk, changes: dict[str, Any], lacks: str) -> None:
    desk.write(**changes)
    desk.sign()

    assert re.search(lacks, str(desk.refused()))


def test_it_is_missing(desk: Desk) -> None:
    assert str(desk.refused()).startswith("there is no ")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"item = ", b"", b"[[item]]\n"])
def test_it_is_unreadable(desk: Desk, content: bytes) -> None:
    desk.file.write_bytes(content)
    desk.sign()

    assert desk.refused().remedy == "correct it, then sign it again"


def test_it_is_a_folder(desk: Desk) -> None:
    desk.file.mkdir()

    assert "cannot be read" in str(desk.refused())


def test_it_is_not_signed(desk: Desk) -> None:
    desk.write()

    refused = desk.refused()

    assert str(refused).endswith("is not signed")
    assert f"ssh-keygen -Y sign -n {NAMESPACE} -f ~/.ssh/id_ed25519 " in refused.remedy


def test_it_was_altered_after_the_signing(desk: Desk) -> None:
    desk.write()
    desk.sign()
    desk.write(statement="It is booked, and paid.")

    refused = desk.refused()

    assert str(refused).endswith("is not valid: Signature verification failed: incorrect signature")
    assert refused.by_hand.startswith("ssh-keygen -Y verify ")


def test_another_key_signed_it(desk: Desk) -> None:
    desk.write()
    desk.sign(key=OTHER)

    assert f"no key of {LEAD} in " in str(desk.refused())


def test_it_was_signed_for_another_purpose(desk: Desk) -> None:
    desk.write()
    desk.sign(namespace="git")

    assert "namespace does not match" in str(desk.refused())


def test_the_signature_is_no_signature(desk: Desk) -> None:
    desk.write()
    desk.file.with_name(f"{ITEM}.toml.sig").write_text("GO\n")

    assert "is not valid: Couldn't parse signature" in str(desk.refused())


def test_the_key_has_expired(desk: Desk) -> None:
    desk.write()
    desk.sign()
    desk.allowed = "expired_signers"

    assert "key has expired" in str(desk.refused())


def test_nobody_says_whose_key_is_whose(desk: Desk) -> None:
    desk.write()
    desk.sign()
    desk.allowed = "nowhere"

    assert str(desk.refused()).startswith("there is no file of allowed signers at ")


@pytest.mark.parametrize(
    ("content", "lacks"), [(b"other", "is not what was signed"), (None, "cannot be read")]
)
def test_its_evidence_has_changed(desk: Desk, content: bytes | None, lacks: str) -> None:
    if content is not None:
        (desk.folder / "order.pdf").write_bytes(content)
    desk.write(evidence=f'{{ file = "order.pdf", sha256 = "{hashlib.sha256(b"ordered").hexdigest()}" }}')
    desk.sign()

    assert lacks in str(desk.refused())


def test_without_ssh_keygen_nothing_is_known(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write()
    desk.sign()
    monkeypatch.setenv("PATH", str(desk.folder))

    with pytest.raises(CannotObserve, match="no ssh-keygen on this machine") as caught:
        desk.judge()
    assert "openssh-client" in caught.value.remedy


def test_an_ssh_keygen_from_before_signatures(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write()
    desk.sign()
    old = desk.folder / "ssh-keygen"
    old.write_text("#!/bin/sh\necho 'unknown option -- Y' >&2\necho 'usage: ssh-keygen [-q]' >&2\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{desk.folder}:/bin:/usr/bin")

    with pytest.raises(CannotObserve, match="older than its signatures"):
        desk.judge()


# ---------------------------------------------------------------- the fixture, and its outcomes


RELEASE = Release.model_validate(
    {"version": "1.0.0", "commit": "5e55101", "roles": ["a"], "health": {"path": "/", "text": "ok"}}
)


@pytest.fixture
def attestations(desk: Desk, tmp_path: Path) -> Callable[..., Attestations]:
    """Attestations of an environment that declares the desk, or of one that declares nothing."""

    def make(*, declared: bool = True) -> Attestations:
        place = {
            "folder": str(desk.folder),
            "allowed_signers": str(desk.keys / desk.allowed),
            "signers": {name: list(roles) for name, roles in ROLES.items()},
        }
        environment = Environment.model_validate(
            {
                "name": "production",
                "release": "1.0.0",
                "identity": {"unproven": "an example"},
                **({"attestations": place} if declared else {}),
            }
        )
        return Attestations(environment, RELEASE, {ITEM: ROLE}, tmp_path, "prod")

    return make


def outcome(attestations: Attestations) -> tuple[Outcome, str, str]:
    with pytest.raises((Attested, Pending, CannotObserve)) as caught:
        attestations.cover(ITEM, "it is an agreement between people")
    told = classify(caught.value, caught)
    return told.outcome, told.message, told.next


def test_a_statement_that_holds_is_attested(desk: Desk, attestations: Callable[..., Attestations]) -> None:
    desk.write()
    desk.sign()

    told, message, _ = outcome(attestations())

    assert told is Outcome.ATTESTED
    assert message.startswith(f"attested by {LEAD} ({ROLE}) on {TODAY}")
    assert message.endswith("No probe can see it: it is an agreement between people")


def test_a_statement_covers_no_other_item_of_a_check(
    desk: Desk, attestations: Callable[..., Attestations]
) -> None:
    desk.write()
    desk.sign()
    with pytest.raises(Attested) as caught:
        attestations().cover(ITEM, "it is an agreement between people")
    told = classify(caught.value, caught)

    assert limited(told, (ITEM,)) is told
    assert limited(told, (ITEM, "SEC-POST-6")).outcome is Outcome.UNKNOWN


def test_none_is_pending_and_says_how_to_make_one(attestations: Callable[..., Attestations]) -> None:
    told, message, remedy = outcome(attestations())

    assert told is Outcome.PENDING
    assert message.startswith("there is no ")
    assert remedy == f"let the {ROLE} make one: python -m checks.attest --env=prod {ITEM}"


def test_an_environment_without_attestations_is_pending(attestations: Callable[..., Attestations]) -> None:
    told, message, remedy = outcome(attestations(declared=False))

    assert told is Outcome.PENDING
    assert message.startswith("nobody attests anything")
    assert "attestations.folder" in remedy


def test_without_ssh_keygen_it_is_unknown(
    desk: Desk, attestations: Callable[..., Attestations], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write()
    desk.sign()
    monkeypatch.setenv("PATH", str(desk.folder))

    assert outcome(attestations())[0] is Outcome.UNKNOWN


# ---------------------------------------------------------------- the command


@pytest.fixture
def shop(tmp_path: Path, desk: Desk) -> Path:
    """An environment file of somebody's own."""
    file = tmp_path / "shop.toml"
    file.write_text(
        f'name = "production"\nrelease = "shop-1.toml"\nidentity = {{ unproven = "an example" }}\n'
        f'[attestations]\nfolder = "signed"\nallowed_signers = "{desk.keys / "allowed_signers"}"\n'
        f'signers = {{ "{LEAD}" = ["{ROLE}"] }}\n',
        encoding="utf-8",
    )
    (tmp_path / "shop-1.toml").write_text(
        'version = "1.0.0"\ncommit = "5e55101"\nroles = []\nhealth = { path = "/", text = "ok" }\n',
        encoding="utf-8",
    )
    return file


def test_the_command_begins_what_can_be_signed(
    shop: Path, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attest.main([f"--env={shop}", ITEM]) == 0

    begun = desk.folder / "signed" / f"{ITEM}.toml"
    assert f"ssh-keygen -Y sign -n {NAMESPACE} -f ~/.ssh/id_ed25519 {begun}" in capsys.readouterr().out
    text = begun.read_text()
    with pytest.raises(DoesNotHold):
        signed(begun, desk.keys / desk.allowed, ROLES, SCOPE)
    begun.write_text(
        text.replace('statement = ""', 'statement = "It is booked."')
        .replace('link = ""', 'link = "https://wiki.example.org/7"')
        .replace("scheduled = ", f"scheduled = {TODAY}")
    )
    keygen("-Y", "sign", "-n", NAMESPACE, "-f", desk.keys / LEAD, begun)
    assert signed(begun, desk.keys / desk.allowed, ROLES, SCOPE).statement.facts == {"scheduled": TODAY}


def test_the_command_overwrites_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert attest.main([f"--env={shop}", ITEM]) == 0
    assert attest.main([f"--env={shop}", ITEM]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("env", "item", "problem"),
    [
        ("local", ITEM, "names no folder of your own"),
        ("staging", ITEM, "names no folder of your own"),
        ("nowhere", ITEM, "there is no environment"),
        ("prod", "SEC-POST-99", "the checklist has no item SEC-POST-99; the nearest is SEC-"),
    ],
)
def test_the_command_refuses(env: str, item: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert attest.main([f"--env={env}", item]) == 2
    assert problem in capsys.readouterr().err
