"""Somebody watches for intruders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item

if TYPE_CHECKING:
    from fixtures.intrusion import Intrusion

pytestmark = pytest.mark.security


@item("SEC-POST-3")
def test_intrusion_detection_is_running(intrusion: Intrusion, measured: Measured) -> None:
    """The agent that watches the host is running."""
    agent = intrusion.agent()
    measured("running" if agent.found else "not running")

    assert agent.found, explain(
        expected=f"{agent.name} is running on {agent.host}",
        seen=agent.missing,
        next="start the agent, and find out who or what has stopped it",
        by_hand=agent.by_hand,
    )


@item("SEC-POST-3")
def test_intrusion_detection_gives_a_sign_of_life(intrusion: Intrusion, measured: Measured) -> None:
    """The agent does its work: one that hangs is in the list of processes too."""
    sign = intrusion.sign_of_life()
    measured("none" if sign.age_s is None else round(sign.age_s, 1), limit=sign.max_age_s, unit="s")

    assert sign.age_s is not None and sign.age_s <= sign.max_age_s, explain(  # noqa: PT018  one claim
        expected=f"{sign.file} on {sign.host} is at most {sign.max_age_s:g} s old",
        seen="there is no such file" if sign.age_s is None else f"it is {sign.age_s:.0f} s old",
        next="restart the agent, and see its log",
        by_hand=sign.by_hand,
    )
