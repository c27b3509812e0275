"""Validation, user access: what is somebody's own is nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item

if TYPE_CHECKING:
    from fixtures.privacy import Privacy

pytestmark = pytest.mark.validation


@item("VAL-ACC-1")
@pytest.mark.writes
def test_private_lists_show_nothing_of_others(privacy: Privacy, measured: Measured) -> None:
    """A list shows what an account has made to nobody from whom it is kept, whatever else they may."""
    lists = privacy.lists()
    leaking = [each for each in lists if each.shown_to]
    measured(sum(len(each.shown_to) for each in lists), limit=0, unit="accounts that are shown another's")

    assert not leaking, explain(
        expected="a private list shows each account its own only, and no list what is hidden from who asks",
        seen="; ".join(
            f"{each.shown} shows {' and '.join(each.shown_to)} the {each.record} of another"
            for each in leaking
        ),
        next="filter by the one who asks where the rows are read, and see what else is read so",
        by_hand="\n".join(each.by_hand for each in leaking),
    )
