"""The facts of the smoke phase, each observed once per run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from fixtures.bodies import entries
from fixtures.filling import NOTHING, ids_of, open_placeholders, path_of, read
from fixtures.http import Answer, NotJson
from fixtures.observation import Absent, CannotObserve
from fixtures.targets import ids, record_read_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fixtures.endpoint import Endpoint
    from fixtures.environment import Environment
    from fixtures.http import HttpProbe
    from fixtures.identity import Identity, ServedIdentity
    from fixtures.record_life import RecordLife
    from fixtures.records import Records
    from fixtures.release import Release
    from fixtures.run import Run
    from fixtures.sign_in import SignInAnswer, Tokens


@pytest.fixture
def health(identity: Identity) -> Answer:
    """The answer of the health endpoint."""
    return identity.health()


@pytest.fixture
def served(identity: Identity) -> ServedIdentity:
    """What the target says that it is."""
    return identity.served()


@pytest.fixture
def signed_in(tokens: Tokens, release: Release) -> SignInAnswer:
    """The sign-in of the release's key user."""
    if release.sign_in is None:
        raise Absent("sign-in", "the release file declares none")
    return tokens.sign_in(release.sign_in.role)


@pytest.fixture
def answer(
    request: pytest.FixtureRequest, environment: Environment, endpoint: Endpoint, release: Release
) -> Answer:
    """The answer of the endpoint that the check is made for, the same for all checks of the run."""
    if not endpoint.safe:
        remedy = "name the item at an endpoint that only reads"
        raise CannotObserve(f"a critical read {endpoint.name}", f"{endpoint.method} may write", remedy=remedy)
    if record := record_read_by(release, endpoint):
        records: Records = request.getfixturevalue("records")
        return records.life(record).step("read")
    api: HttpProbe = request.getfixturevalue("api")
    run: Run = request.getfixturevalue("run")

    def asked(each: Endpoint, id_: str, above: Mapping[str, str]) -> Answer:
        path = path_of(each, environment, id_, run.mark, above)
        return read(api, each, environment, run.mark, role=each.role, id_=id_, path=path)

    def observe() -> Answer:
        return asked(endpoint, *_real_id(endpoint, release, asked))

    return run.once(f"critical read {endpoint.name}", observe, Answer)


def _real_id(
    endpoint: Endpoint, release: Release, asked: Callable[[Endpoint, str, Mapping[str, str]], Answer]
) -> tuple[str, Mapping[str, str]]:
    """Return the id of an entry that the list of an endpoint shows, or that reading another record does.

    What fills the placeholders of that list comes with it. An endpoint that needs no id has none.

    Raises:
        CannotObserve: it shows none.
    """
    if not open_placeholders(endpoint):
        return "", NOTHING
    found: tuple[str, ...] = ()
    filled: Mapping[str, str] = NOTHING
    if endpoint.ids_from:
        source = release.endpoint(endpoint.ids_from)
        id_, above = _real_id(source, release, asked)
        filled = ids_of(source, id_, above)
        with suppress(NotJson):
            body = asked(source, id_, above).json()
            found = ids(source, body, endpoint.id_field)
            if source.empty and entries(body, source) == []:
                raise Absent(f"entry of {source.name} to read", f"it is empty: {source.empty}")
    if not found:
        shown = endpoint.ids_from or "no list"
        place = "body" if endpoint.read_only else "path"
        got = f"no real id for its {place}: {shown} shows no entry with {endpoint.id_field}"
        remedy = "make a record in this environment, or see the check of the list"
        raise CannotObserve(endpoint.shown, got, remedy=remedy)
    return found[0], filled


@pytest.fixture
def shown(records: Records, endpoint: Endpoint) -> RecordLife:
    """The life of a record that the endpoint has to show."""
    return records.life(str(endpoint.shows))


@pytest.fixture
def created(records: Records, release: Release, endpoint: Endpoint) -> RecordLife:
    """The life of a record that the endpoint creates."""
    names = [name for name, own in release.records.items() if own.create == endpoint.name]
    if not names:
        raise CannotObserve(
            f"creating a record by {endpoint.method} {endpoint.path}",
            "the release file has no record that is made by it",
            remedy=f'declare [records.NAME] with create = "{endpoint.name}"',
        )
    return records.life(names[0])
