import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.sanitise import clean, plain, shorten


@pytest.mark.parametrize(
    ("hostile", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a new window title\x07text", "text"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1bPq#0;2;0\x1b\\sixel", "sixel"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1bcreset", "reset"),
        ("a\rb\r\nc\x85d\u2028e", "a\nb\nc\nd\ne"),
        ("nul\x00 bell\x07 back\x08 tab\t", "nul bell back tab\t"),
        ("admin\u202etxt.exe\u202c", "admintxt.exe"),
        ("in\u200bvisible\ufeff", "invisible"),
        ("tag\U000e0041", "tag"),
        ("half \ud800", "half \N{REPLACEMENT CHARACTER}"),
        ("Zażółć 数据 🚀", "Zażółć 数据 🚀"),
    ],
)
def test_only_text_is_left(hostile: str, left: str) -> None:
    assert plain(hostile) == left


@given(st.text(st.characters(), max_size=200))
def test_nothing_left_is_obeyed_by_a_terminal(text: str) -> None:
    left = plain(text)

    assert all(
        character in "\n\t" or character.isprintable() or character.isspace() or ord(character) > 0x9F
        for character in left
    )
    assert plain(left) == left
    left.encode()


def test_a_long_text_keeps_both_ends() -> None:
    text = "begin" + "x" * 100_000 + "cause"

    short = shorten(text, 300)

    assert short.startswith("begin")
    assert short.endswith("cause")
    assert "99,710 characters left out" in short
    assert len(short) < 400


def test_a_short_text_stays() -> None:
    assert shorten("x" * 300, 300) == "x" * 300


def test_every_string_of_a_value_is_cleaned() -> None:
    value = {"a\x1b[1m": ["\x07b", {"c": "\x00"}, 1, None, True]}

    assert clean(value, 100) == {"a": ["b", {"c": ""}, 1, None, True]}
