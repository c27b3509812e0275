"""The console of the database is for operators only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item

if TYPE_CHECKING:
    from fixtures.console import Console

pytestmark = pytest.mark.security


@item("DASH-4")
def test_console_asks_to_sign_in(console: Console, measured: Measured) -> None:
    """Whoever has not signed in gets a refusal or a sign-in page from the console."""
    door = console.door()
    measured(door.asks or f"answers {door.status}")

    assert door.asks, explain(
        expected="401, 403, or a page to sign in at",
        seen=f"{door.url} answers {door.status} to anybody, and asks for nothing",
        next="switch its authentication on; until then, take it off the network",
        by_hand=door.curl,
    )


@item("DASH-4")
def test_console_is_not_public(console: Console, measured: Measured) -> None:
    """None of the public addresses shows a database console, also none that asks to sign in."""
    published = console.published()
    measured(len(published.found), limit=0, unit="places")

    assert not published.found, explain(
        expected=f"no console at any of {published.asked} public places",
        seen="; ".join(f"{each.url} shows {each.sign!r}" for each in published.found),
        next="let the proxy keep it inside; operators come by VPN or tunnel",
        by_hand=published.found[0].curl,
    )
