"""What is quoted is cut so that half a secret is still known as one."""

from __future__ import annotations

import pytest

from fixtures.quoting import cut, one_line
from fixtures.revealing import revealed
from reports.redaction import MASK, Redactor
from tests.security.test_leaks import error

SECRET = "hunter2-correct-horse"  # noqa: S105 - of nobody


@pytest.mark.parametrize("most", range(12, 30))
def test_half_a_secret_is_redacted_wherever_a_text_is_cut(most: int) -> None:
    text = f"agent  --key={SECRET} --verbose --and --so --on"

    shown = Redactor([SECRET]).text(one_line(text, most))

    assert "hunt" not in shown
    assert shown.endswith("...")
    assert MASK in shown or most < len("agent --key=hunt")


def test_what_is_short_is_whole() -> None:
    assert cut("abc", 3) == "abc"
    assert one_line(" a\n b ") == "a b"


def test_excerpt_of_what_an_error_reveals_says_that_it_goes_on() -> None:
    text = f"{'x' * 30} {SECRET} SQLSTATE[42000]: Syntax error {'y' * 100}"

    (shown,) = revealed(error(text, 500)).values()

    assert "horse" not in Redactor([SECRET]).text(shown)
    assert shown.startswith("...")
    assert shown.endswith("...")
