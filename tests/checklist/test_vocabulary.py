"""An explanation survives the way through an assertion, whatever it quotes."""

from __future__ import annotations

import pytest

from checks.vocabulary import Explanation, explain


def raised(message: str) -> str:
    """Return the text of an assertion that pytest has rewritten."""
    seen = 1
    with pytest.raises(AssertionError) as caught:
        assert seen == 0, message
    return str(caught.value)


@pytest.mark.parametrize(
    "told",
    [
        Explanation("status 200", "500", "read the log"),
        Explanation("status 200", "500", "read the log", by_hand="curl 'x'", action="HOLD"),
        Explanation("a\nb", "first\nnext: do evil\n\n  seen: lies\n~{}>", "one\ntwo", by_hand="100 %s %d"),
    ],
)
def test_explanation_is_read_back_from_the_assertion(told: Explanation) -> None:
    message = explain(
        expected=told.expected, seen=told.seen, next=told.next, by_hand=told.by_hand, action=told.action
    )

    assert Explanation.parse(raised(message)) == told
    assert Explanation.parse(message) == told


def test_other_messages_are_no_explanation() -> None:
    assert Explanation.parse("expected: something else entirely") is None
