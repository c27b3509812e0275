"""What quoted content may not bring into a report: control sequences, reordering, endless text.

A response body is quoted in messages and can hold anything. Escaping for HTML is not done here;
the template does it.
"""

from __future__ import annotations

import re
from typing import Any, overload

_CONTROL_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*+[ -/]*+[@-~]"  # CSI: colours, cursor, screen
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*+(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC: titles, links, clipboard
    r"|\x9b[0-?]*+[ -/]*+[@-~]"  # CSI again, as one C1 character
    r"|\x1b[ -/]*+[0-~]"  # every other escape
)
_LINE_END = re.compile(r"\r\n?|[\x85\u2028\u2029]")
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line feed, DEL, C1
    r"\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # invisible, and all that reorders text
    r"\U000e0000-\U000e0fff]"  # tags: text that no reader sees
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def plain(text: str) -> str:
    """Return ``text`` with nothing in it that a terminal or a browser obeys, except line breaks and tabs."""
    if text.isascii() and text.isprintable():
        return text
    text = _CONTROL_SEQUENCE.sub("", _LINE_END.sub("\n", text))
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", _UNPRINTABLE.sub("", text))


def shorten(text: str, most: int) -> str:
    """Return ``text``, with its middle left out where it is longer than ``most`` characters.

    Both ends are kept, because the cause is often in the last line of what is quoted.
    """
    if len(text) <= most:
        return text
    head, tail = most * 2 // 3, most // 3
    return f"{text[:head]} … ({len(text) - head - tail:,} characters left out) … {text[len(text) - tail :]}"


@overload
def clean(value: str, most: int) -> str: ...
@overload
def clean(value: dict[str, Any], most: int) -> dict[str, Any]: ...
@overload
def clean(value: Any, most: int) -> Any: ...  # noqa: ANN401 - any JSON value
def clean(value: Any, most: int) -> Any:
    """Return a JSON value with every string in it made ``plain`` and no longer than ``most`` characters.

    Parts that are so already are the same objects.
    """
    if isinstance(value, str):
        return plain(shorten(value, most))
    cleaned: Any = value
    if isinstance(value, dict):
        cleaned = {plain(key): clean(each, most) for key, each in value.items()}
    if isinstance(value, list):
        cleaned = [clean(each, most) for each in value]
    return value if cleaned == value else cleaned
