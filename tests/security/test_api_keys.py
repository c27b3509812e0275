"""Old API keys against a small real server, and what an environment file may say of credentials."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from checks.refusal import judged
from fixtures.access import Access
from fixtures.api_keys import ApiKeys
from fixtures.credentials import Credentials, age_days
from fixtures.observation import CannotObserve
from fixtures.run import Raised
from tests.probes.servers import application, json_response, serving
from tests.probes.shop import Shop, environment, released, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CURRENT, OLD = "canary-current-key", "canary-old-key"
TODAY = date(2026, 11, 22)
KEY = {
    "name": "partner",
    "current": "env:CURRENT_KEY",
    "old": ["env:OLD_KEY"],
    "path": "/feed",
    "header": "X-Key",
}
ENDPOINT = {"name": "feed", "method": "GET", "path": "/feed", "kind": "read", "role": "clerk"}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "canary-password")
    monkeypatch.setenv("CURRENT_KEY", CURRENT)
    monkeypatch.setenv("OLD_KEY", OLD)


def sound(key: str) -> int:
    return 200 if key == CURRENT else 401


@contextmanager
def showing(
    folder: Path, takes: Callable[[str], int], release: dict[str, Any] | None = None, **parts: Any
) -> Iterator[ApiKeys]:
    """Serve a feed for those who have a key, and yield what shows keys to it."""

    def answer(_: str, path: str, headers: dict[str, str], __: bytes) -> bytes:
        if path == "/health":
            return json_response(200, {"status": "ok", "environment": "tried"})
        status = takes(headers.get("x-key", headers.get("authorization", "")))
        return json_response(status, {}, {"Location": "/"} if status == 302 else None)

    promised = released(**(release or {"sign_in": None, "endpoints": [], "records": {}}))
    parts = {"limits": {"request_timeout_s": 5}, **parts}
    with (
        serving(application(answer)) as server,
        world(folder, Shop(), url=server.url, release=promised, **parts) as made,
    ):
        common: dict[str, Any] = {
            "environment": environment(server.url, **parts),
            "release": promised,
            "run": made.run,
            "vault": made.vault,
            "identity": made.identity,
            "permission": made.permission,
        }
        access = Access(line=made.line, api=made.api, tokens=made.tokens, **common)
        yield ApiKeys(made.line, access=access, **common)


def declared(**changes: Any) -> Any:
    return Credentials.model_validate({"api_keys": [KEY | changes]}).api_keys[0]


@pytest.mark.parametrize(
    ("takes", "wrong"),
    [
        (sound, False),
        (lambda key: 200 if key == CURRENT else 403, False),
        (lambda key: 403 if key == OLD else sound(key), False),
        (lambda key: 200 if key in {CURRENT, OLD} else 401, True),
        (lambda _: 200, True),
        (lambda key: 500 if key == OLD else sound(key), True),
    ],
    ids=["sound", "403 to all", "403 to revoked ones", "kept", "open to all", "crashes"],
)
def test_old_key(tmp_path: Path, takes: Callable[[str], int], *, wrong: bool) -> None:
    with showing(tmp_path, takes) as keys:
        knocks = keys.shown(declared())
    seen = judged(knocks, 200, forbids=True)

    assert ("the key in env:OLD_KEY" in seen.wrong) == wrong
    assert not [each for each in knocks.bad.values() if isinstance(each, Raised) or OLD in each.curl]


def test_refusal_says_nothing_where_the_current_key_is_refused_too(tmp_path: Path) -> None:
    with showing(tmp_path, lambda _: 401) as keys, pytest.raises(CannotObserve, match="401 to a good"):
        judged(keys.shown(declared()), 200)


@pytest.mark.parametrize(("missing", "remedy"), [("current", "current"), ("header", "header")])
def test_what_is_not_declared_is_asked_for(tmp_path: Path, missing: str, remedy: str) -> None:
    with showing(tmp_path, sound) as keys, pytest.raises(CannotObserve) as raised:
        keys.shown(declared(**{missing: None}))
    assert f"credentials.api_keys[partner].{remedy}" in raised.value.remedy


def test_release_that_signs_in_by_keys_says_the_rest(tmp_path: Path) -> None:
    """Header, place and current key are those of the release and of its role."""

    def scheme(sent: str) -> int:
        return 200 if sent == f"Key {CURRENT}" else 403

    api_key = {"header": "Authorization", "scheme": "Key"}
    release = {"sign_in": None, "api_key": api_key, "endpoints": [ENDPOINT], "records": {}}
    roles = {"clerk": {"token": "env:CURRENT_KEY"}}
    key = declared(current=None, path=None, header=None)
    with showing(tmp_path, scheme, release, roles=roles) as keys:
        knocks = keys.shown(key)

    assert knocks.endpoint == "feed"
    assert knocks.good.status == 200
    assert not judged(knocks, 200).wrong


# ---------------------------------------------------------------- ages


def test_age_is_counted_from_the_declared_day_or_the_store(tmp_path: Path) -> None:
    store = tmp_path / "changes.json"
    store.write_text(json.dumps({"partner": "2026-11-02T08:00:00Z", "blank": None}))

    assert age_days("partner", date(2026, 11, 12), store, TODAY) == 10
    assert age_days("partner", None, store, TODAY) == 20


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (None, "cannot be read"),
        ("no JSON", "is not JSON"),
        ("[]", "has no date for partner"),
        ('{"partner": "soon"}', "has no date for partner"),
        ('{"other": "2026-11-02"}', "has no date for partner"),
        ('{"partner": "2026-11-23"}', "a day to come"),
    ],
)
def test_age_that_nobody_tells_is_unknown(tmp_path: Path, content: str | None, got: str) -> None:
    store = tmp_path / "changes.json"
    if content is not None:
        store.write_text(content)
    with pytest.raises(CannotObserve, match=got):
        age_days("partner", None, store, TODAY)


def test_age_without_any_source_says_what_to_declare() -> None:
    with pytest.raises(CannotObserve) as raised:
        age_days("partner", None, None, TODAY)
    assert "credentials.changes" in raised.value.remedy


# ---------------------------------------------------------------- the file


@pytest.mark.parametrize(
    "changes",
    [
        {"first": "a new key"},
        {"scheme": "Key", "header": None},
        {"old": ["env:CURRENT_KEY"]},
        {"old": ["a literal key"]},
        {"name": "a name with blanks"},
    ],
)
def test_contradiction_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        declared(**changes)


def test_two_keys_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError):
        Credentials.model_validate({"api_keys": [KEY, KEY]})


@pytest.mark.parametrize(
    ("component", "credentials"),
    [
        ("api_keys", {"api_keys": [KEY]}),
        ("previous_signing_key", {"previous_signing_keys": ["env:OLD_KEY"]}),
        ("previous_database_password", {"previous_database_passwords": ["env:OLD_KEY"]}),
    ],
)
def test_what_is_there_cannot_be_absent(component: str, credentials: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        environment("http://127.0.0.1", absent={component: "not here"}, credentials=credentials)
