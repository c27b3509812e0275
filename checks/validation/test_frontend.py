"""The page is served, its scripts know no old path, and in a real browser it uses the new ones only."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.browser import failed
from fixtures.bundle import PAGE_TYPES
from fixtures.observation import Absent
from fixtures.old_paths import is_current, is_requested, old_paths
from fixtures.vault import address

if TYPE_CHECKING:
    from fixtures.browser import Asked, Visit
    from fixtures.bundle import Bundle, Mention
    from fixtures.environment import Environment
    from fixtures.release import Release
    from fixtures.run import Run

pytestmark = pytest.mark.validation

OK = 200
REMEDY = "deploy the frontend that belongs to this release, and see that no cache holds the one before"


@item("REL-PATH-2")
def test_page_is_served(bundle: Bundle, measured: Measured) -> None:
    """The page that users open first is served, as HTML."""
    page = bundle.page
    measured(page.status, limit=OK)

    assert page.status == OK and page.content_type in PAGE_TYPES, explain(  # noqa: PT018  one claim
        expected=f"GET {page.url} answers {OK} with a page",
        seen=f"{page.status}; the body is {page.described}",
        next="see whether the frontend was deployed",
        by_hand=page.curl,
    )


@item("REL-PATH-2")
def test_scripts_of_the_page_are_there(bundle: Bundle, measured: Measured) -> None:
    """Every script that the page names on its own origin is there, as a script."""
    named = [script for script in bundle.scripts if script.named_by_page]
    missing = [script for script in named if not script.is_there]
    measured(len(named), unit="scripts")

    assert not missing, explain(
        expected="every script that the page names",
        seen="; ".join(f"{each.url} answers {each.status}, {each.type or 'no type'}" for each in missing),
        next=REMEDY,
        by_hand=missing[0].curl if missing else "",
    )


@item("REL-PATH-2")
def test_scripts_name_no_old_path(
    bundle: Bundle, old_paths_in_bundle: tuple[Mention, ...], measured: Measured, exhibits: Exhibits
) -> None:
    """Neither the page nor a script that it loads from its own origin names an old path."""
    read = sum(len(script.text) for script in bundle.scripts)
    measured(len(bundle.scripts), unit="scripts")
    exhibits.table(
        "Scripts that were searched for old paths",
        ("address", "characters"),
        [
            *((script.url, len(script.text)) for script in bundle.scripts),
            *((url, "another origin's, not read") for url in bundle.elsewhere),
        ],
    )

    assert not old_paths_in_bundle, explain(
        expected=f"no old path in {len(bundle.scripts)} scripts ({read} characters)",
        seen="; ".join(map(str, old_paths_in_bundle)),
        next=REMEDY,
    )


# ---------------------------------------------------------------- in a browser


@item("REL-PATH-2")
def test_browser_signs_in_and_shows_the_page(
    visit: Visit, release: Release, measured: Measured, exhibits: Exhibits
) -> None:
    """In a real browser a user signs in and sees the page that only a working release shows."""
    wanted = release.pages.shows if release.pages else ""
    measured(wanted if visit.shows else "not shown")
    exhibits.image(f"{visit.url} in a browser", visit.screenshot)

    assert visit.shows, explain(
        expected=f"after the sign-in the page shows {wanted}",
        seen="; ".join([visit.trouble, *map(str, failed(visit.requests)), *visit.errors]),
        next="open the page by hand and look at the browser's console",
    )


@item("REL-PATH-2")
def test_browser_shows_the_entries(visit: Visit, release: Release, measured: Measured) -> None:
    """In a real browser the page shows entries where the API lists some to the same user."""
    pages = release.pages
    if pages is None or pages.entries is None:
        raise Absent("list that a page shows", "the release file names no pages.entries")
    if visit.unlisted:
        visit.unlisted.again()
    if not visit.listed:
        raise Absent("entry that the page could show", f"{pages.entries_from} lists none to {pages.role}")
    measured(visit.entries, limit=1, unit="entries")

    assert visit.entries, explain(
        expected=f"{pages.entries} on the page: {pages.entries_from} lists {visit.listed} to {pages.role}",
        seen=f"none; {visit.trouble or 'the page is empty'}",
        next="open the page by hand, and compare it with what the API answers",
    )


@item("REL-PATH-2")
def test_browser_requests_no_old_path(
    visit: Visit, environment: Environment, release: Release, run: Run, measured: Measured, exhibits: Exhibits
) -> None:
    """In a real browser the page requests new paths only."""
    gone = old_paths(release)
    if not gone:
        raise Absent("old path", "the release file moves and removes nothing")
    places = [place for place in (environment.api, environment.frontend) if place]
    bases = {urlsplit(address(run.scratch, place.url)).path.rstrip("/") for place in places}
    measured(len(visit.requests), unit="requests")
    exhibits.table(
        "Requests of the page",
        ("request", "after the sign-in"),
        [(asked, "yes" if asked.signed_in else "no") for asked in visit.requests],
    )

    def is_old(asked: Asked) -> bool:
        paths = [urlsplit(asked.url).path.removeprefix(base) for base in bases]
        return any(
            is_requested(old, path) and not is_current(release, asked.method, path)
            for old in gone
            for path in paths
        )

    old = [asked for asked in visit.requests if is_old(asked)]
    assert not old, explain(
        expected="requests for new paths only",
        seen="; ".join(map(str, old)),
        next=REMEDY,
    )


@item("REL-PATH-2")
def test_browser_console_shows_no_error(visit: Visit, measured: Measured) -> None:
    """In a real browser the page logs no error and throws none."""
    measured(len(visit.errors), limit=0, unit="errors")

    assert not visit.errors, explain(
        expected="no error on the console",
        seen="; ".join(visit.errors),
        next="open the page by hand and look at the browser's console",
    )


@item("REL-PATH-2")
def test_browser_requests_succeed(visit: Visit, measured: Measured) -> None:
    """In a real browser none of the page's requests to the release fails."""
    wrong = failed(visit.requests)
    measured(len(wrong), limit=0, unit="failed requests")

    assert not wrong, explain(
        expected="every request of the page is answered well",
        seen="; ".join(map(str, wrong)),
        next="see why the service answers so",
    )
