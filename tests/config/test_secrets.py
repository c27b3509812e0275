from __future__ import annotations

import json
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from fixtures import secrets
from fixtures.observation import CannotObserve
from fixtures.secrets import SecretRef, Vault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "correct horse battery"  # noqa: S105


def not_embedded(name: str) -> str:
    raise AssertionError(name)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path, not_embedded)


def command(code: str) -> SecretRef:
    return SecretRef("command", f"{sys.executable} -c '{code}'")


@pytest.mark.parametrize(
    "text", ["env:SHOP_KEY", "file:/run/secrets/x", "file:~/x", "command:pass show x", "embedded:x"]
)
def test_a_reference_is_read_and_written_alike(text: str) -> None:
    assert str(SecretRef.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "env:",
        "env:hunter2-a",
        "ENV:hunter2",
        "file:hunter2",
        "command:",
        'command:"hunter2',
        "s3:hunter2",
        "",
    ],
)
def test_anything_else_is_refused_and_never_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"not shown|without a program") as caught:
        SecretRef.parse(text)

    assert "hunter2" not in str(caught.value)


def test_a_variable_is_revealed(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", SECRET)

    assert vault.reveal(SecretRef("env", "SHOP_KEY")) == SECRET
    assert SECRET in vault.known()


def test_a_file_is_revealed_without_the_newline_at_its_end(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(f" {SECRET} \r\n".encode())

    assert vault.reveal(SecretRef("file", str(path))) == f" {SECRET} "


def test_a_command_is_run_without_a_shell(vault: Vault) -> None:
    assert vault.reveal(command('import sys; print(*sys.argv[1:], "$HOME;|")')) == " $HOME;|".strip()


def test_an_embedded_value_comes_from_the_target(tmp_path: Path) -> None:
    vault = Vault(tmp_path, {"admin_password": SECRET}.__getitem__)

    assert vault.reveal(SecretRef("embedded", "admin_password")) == SECRET


def test_a_secret_is_resolved_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def embedded(name: str) -> str:
        asked.append(name)
        return SECRET

    vault = Vault(tmp_path, embedded)
    for _ in range(3):
        vault.reveal(SecretRef("embedded", "x"))

    assert asked == ["x"]


@pytest.mark.parametrize(
    ("ref", "got"),
    [
        (SecretRef("env", "GONOGO_NO_SUCH_VARIABLE"), "the variable is not set"),
        (SecretRef("file", "/nowhere/secret"), "cannot be read (No such file or directory)"),
        (SecretRef("file", "/"), "cannot be read (Is a directory)"),
        (SecretRef("command", "/nowhere/program"), "cannot be started (No such file or directory)"),
        (command('import sys; print("hunter2"); sys.exit(3)'), "exit status 3"),
        (command("import sys; sys.stdout.buffer.write(bytes([255]) * 9)"), "not UTF-8"),
        (command("while True: print(1)"), "it prints more than 100,000 bytes"),
        (SecretRef("command", "sh -c 'yes & yes'"), "it prints more than 100,000 bytes"),
        (command("print()"), "it is empty"),
        (command("print(12345)"), "it has 5 characters"),
    ],
)
def test_what_cannot_be_resolved_is_not_observed(ref: SecretRef, got: str, vault: Vault) -> None:
    with pytest.raises(CannotObserve) as caught:
        vault.reveal(ref)

    assert got in caught.value.got
    assert str(ref) in caught.value.tried
    assert "12345" not in caught.value.got
    assert vault.known() == frozenset()


def test_a_file_that_is_not_utf8(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"\xff" * 9)

    with pytest.raises(CannotObserve, match="not UTF-8"):
        vault.reveal(SecretRef("file", str(path)))


def test_a_file_without_end(vault: Vault) -> None:
    with pytest.raises(CannotObserve, match="more than 100,000 bytes"):
        vault.reveal(SecretRef("file", "/dev/zero"))


def test_what_a_command_leaves_behind_is_not_waited_for(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.secrets.COMMAND_TIMEOUT_S", 1)

    with pytest.raises(CannotObserve, match="no answer within 1 s"):
        vault.reveal(SecretRef("command", "sh -c 'sleep 5 & echo correct-horse'"))


def test_a_command_does_not_get_forever(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT_S", 0.2)

    with pytest.raises(CannotObserve, match="no answer within"):
        vault.reveal(command("import time; time.sleep(60)"))


def test_the_password_within_a_connection_string_is_known_too(tmp_path: Path) -> None:
    dsns = {
        "url": "postgresql://shop:p%40ssword@db.example/shop",
        "words": "host=db.example user=shop password=plainword dbname=shop",
        "quoted": "host=db.example password = 'two words'",
        "short": "postgresql://shop:abc@db.example/shop",
        "none": "postgresql://db.example/shop",
    }
    vault = Vault(tmp_path, dsns.__getitem__)
    for name in dsns:
        vault.reveal(SecretRef("embedded", name))

    assert vault.known() - set(dsns.values()) == {
        "p%40ssword",
        "p@ssword",
        "plainword",
        "two words",
        "'two words'",
    }


def test_what_one_worker_remembers_every_other_knows(tmp_path: Path) -> None:
    first, second = Vault(tmp_path, not_embedded), Vault(tmp_path, not_embedded)
    first.remember("token-one\nwith a line break")
    assert second.known() == {"token-one\nwith a line break"}

    second.remember("token-two")
    first.remember("token-three")

    assert first.known() == second.known() == {"token-one\nwith a line break", "token-two", "token-three"}


def test_the_file_of_secrets_is_for_its_owner_alone(vault: Vault, tmp_path: Path) -> None:
    vault.remember(SECRET)
    vault.remember(SECRET)

    file = tmp_path / "secrets.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == json.dumps(SECRET) + "\n"


def test_a_line_that_is_still_being_written_waits(vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "secrets.jsonl"
    file.write_text('"token-one"\n"tok')
    assert vault.known() == {"token-one"}

    file.write_text('"token-one"\n"token-two"\n')

    assert vault.known() == {"token-one", "token-two"}


def test_without_a_folder_all_stays_in_memory() -> None:
    vault = Vault(None, not_embedded)
    vault.remember(SECRET)

    assert vault.known() == {SECRET}


def test_a_token_too_short_to_redact_is_refused(vault: Vault) -> None:
    with pytest.raises(CannotObserve, match="3 characters"):
        vault.remember("abc")


@pytest.mark.parametrize("show", [repr, str])
def test_a_vault_never_shows_what_it_knows(show: Callable[[object], str], vault: Vault) -> None:
    vault.remember(SECRET)

    assert show(vault) == "<Vault: 1 secrets>"
