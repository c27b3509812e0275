"""A client that takes its time is cut off.

In a file of its own: the request begins with the first check of the edge, and the others do not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Measured, explain, item

if TYPE_CHECKING:
    from fixtures.edge import Edge

pytestmark = pytest.mark.security


@item("SEC-POST-2")
def test_slow_request_is_cut_off(edge: Edge, measured: Measured) -> None:
    """A request whose head comes byte by byte, and does not end, keeps no connection for long."""
    slow = edge.slow()
    measured(
        f"still open after {slow.allowed_s:g} s" if slow.ended_s is None else round(slow.ended_s, 1),
        limit=slow.allowed_s,
        unit="s",
    )

    assert slow.ended_s is not None, explain(
        expected=f"the connection is ended within {slow.allowed_s:g} s",
        seen=f"{slow.url}: still open after that, with a byte every half second",
        next="set the time that the head of a request may take (nginx: client_header_timeout)",
    )
