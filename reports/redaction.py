"""Takes known secrets, and what looks like one, out of everything that leaves a run.

Known secrets are replaced in every spelling in which they usually appear. All of it takes time in
proportion to the text, also for hostile text.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote
from xml.sax.saxutils import escape as xml_escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MASK = "«redacted»"
LEAST = 6
"""Characters. Anything shorter would be redacted out of ordinary words."""
_LEAST_ENCODED = 8
"""Characters of a base64 fragment that cannot be there by accident."""
_LEAST_PIECE = 4
"""Characters of a secret beside the ``...`` of a shortened text that count as a piece of it."""

_TOKEN = re.compile(
    # A JWT. A run that only starts like one is consumed too, so that no text is scanned twice.
    r"eyJ[\w-]*+(?P<jwt>\.[\w-]++\.[\w-]*+)?",
    re.ASCII,
)
_CREDENTIALS = re.compile(
    r"(?P<keep>"
    # A header, in HTTP, in JSON or in a Python repr. What starts with $, { or < is a placeholder.
    r"\bauthorization\b['\"]?\s{0,4}[:=,]\s{0,4}b?['\"]?\s{0,4}(?:bearer|basic|token|digest)\s{1,4}"
    # Beside any other word, only what has a digit in it and is as long as a token.
    r"|\b(?:bearer|basic)(?:\s{1,4}|%20)(?=[\w.~+/=-]{16})(?=[^\d\s]{0,64}\d)"
    # A password in the address of a database or a service.
    r"|\b[a-z][a-z0-9+.-]{0,30}://[^\s:/?#@'\"<>]{0,200}:(?=[^\s@/'\"<>]{1,500}@)"
    # A password among the parameters of an address.
    r"|[?&](?:password|passwd|pwd|secret|token|access_token|api_key)="
    r")(?P<secret>[^\s'\"$<>{«@&,;][^\s'\"<>@&,;]*+)",
    re.ASCII | re.IGNORECASE,
)

SHORT = 200
"""Characters of texts that come again: keys, ids, titles. They are looked through once."""

MOST_KEPT = 4096

_Value = TypeVar("_Value")


class Redactor:
    """Replaces secrets by ``MASK``.

    Args:
        secrets: the values that nobody may read. Those shorter than ``LEAST`` characters are left
            alone: the vault refuses them in the first place.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= LEAST}, key=len, reverse=True)
        spellings = {spelling for secret in self._secrets for spelling in _spellings(secret)}
        self._spellings = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
        self._short = lru_cache(MOST_KEPT)(self._redacted)

    def text(self, text: str) -> str:
        """Return ``text`` without secrets; it is the same object if it has none."""
        return self._short(text) if len(text) <= SHORT else self._redacted(text)

    def _redacted(self, text: str) -> str:
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MASK)
        if "..." in text:
            for secret in self._secrets:
                text = _without_pieces(text, secret)
        text = _TOKEN.sub(lambda match: MASK if match["jwt"] else match[0], text)
        return _CREDENTIALS.sub(lambda match: match["keep"] + MASK, text)

    def value(self, value: _Value) -> _Value:
        """Return a JSON-like value (tuples too) without secrets in strings, keys and numbers.

        Parts without secrets are the same objects: a run keeps thousands of records, and most are clean.
        """
        return self._value(value)  # type: ignore[no-any-return] # the shape is kept, only strings change

    def _value(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            redacted: Any = {self._value(key): self._value(each) for key, each in value.items()}
            return value if redacted == value else redacted
        if isinstance(value, list | tuple):
            redacted = type(value)(self._value(each) for each in value)
            return value if redacted == value else redacted
        if isinstance(value, int | float) and not isinstance(value, bool) and str(value) in self._secrets:
            return MASK
        return value

    def file(self, path: Path) -> None:
        """Rewrite a file without secrets, if it has any; bytes that are not UTF-8 stay as they are."""
        before = path.read_bytes().decode("utf-8", "surrogateescape")
        after = self._json(before) if path.suffix in {".json", ".sarif"} else self.text(before)
        if after != before:
            path.write_bytes(after.encode("utf-8", "surrogateescape"))

    def _json(self, text: str) -> str:
        """Redact a JSON document by its values, so that it stays one."""
        try:
            before = json.loads(text)
        except ValueError:
            return self.text(text)
        after = self.value(before)
        return text if after == before else json.dumps(after, indent=2, ensure_ascii=False) + "\n"


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret as it appears in text, addresses, headers, JSON, reprs, HTML, XML and dumps."""
    raw = secret.encode("utf-8", "surrogatepass")
    lines = [line.strip() for line in secret.splitlines()]
    texts = [secret, secret.strip(), *(line for line in lines if len(line) >= _LEAST_ENCODED)]
    for text in texts:
        yield from _text_spellings(text)
    yield from (raw.hex(), raw.hex().upper(), raw.hex(" "), raw.hex(":"))
    yield from _base64_spellings(raw)


def _text_spellings(text: str) -> Iterator[str]:
    percent = {quote(text, safe="", errors="replace"), quote(text, errors="replace")}
    percent |= {each.replace("%20", "+") for each in percent}
    plain = {text, *percent, *(re.sub("%..", lambda match: match[0].lower(), each) for each in percent)}
    plain |= {shlex.quote(text).strip("'"), text.replace("'", "''"), text.replace('"', '\\"')}
    once = {spelling for each in plain for spelling in _quoted(each)}
    twice = {spelling for each in once for spelling in _quoted(each)}  # a repr of a repr, JSON in JSON
    for spelling in plain | once | twice:
        if len(spelling) >= LEAST:
            yield spelling
            yield html.escape(spelling)
            yield html.escape(spelling, quote=False)
            yield html.escape(spelling).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
            yield xml_escape(spelling, {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#09;"})


def _quoted(text: str) -> set[str]:
    return {
        repr(text)[1:-1],
        repr(f'"{text}')[2:-1],
        repr(f"'{text}")[2:-1].lstrip("'"),
        ascii(text)[1:-1],
        repr(text.encode("utf-8", "surrogatepass"))[2:-1],
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
    }


def _base64_spellings(raw: bytes) -> Iterator[str]:
    """Yield what of a secret's base64 stays the same wherever in the encoded text it stands.

    So it is found in ``Basic`` credentials of any user too.
    """
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        skipped = -(-before * 8 // 6)
        whole = (before + len(raw)) * 8 // 6
        core = encoded[skipped:whole]
        whole_text = encoded.rstrip("=") if before == 0 else ""
        for spelling in (encoded if before == 0 else "", whole_text, core):
            if len(spelling) >= _LEAST_ENCODED or (spelling and spelling == whole_text):
                yield spelling
                yield spelling.replace("+", "-").replace("/", "_")


def _without_pieces(text: str, secret: str) -> str:
    """Mask what is left of a secret on either side of the ``...`` with which a text was shortened."""
    text = _without_heads(text, secret, MASK)
    return _without_heads(text[::-1], secret[::-1], MASK[::-1])[::-1]


def _without_heads(text: str, secret: str, mask: str) -> str:
    pieces: list[str] = []
    done = start = 0
    while (at := text.find(secret[:_LEAST_PIECE], start)) >= 0:
        start = at + _common(text, at, secret)
        if text.startswith("...", start):
            pieces += (text[done:at], mask)
            done = start
    return "".join((*pieces, text[done:]))


def _common(text: str, at: int, secret: str) -> int:
    """Return how many characters of ``secret`` stand in ``text`` from ``at`` on."""
    length = 0
    for theirs, ours in zip(text[at : at + len(secret)], secret, strict=False):
        if theirs != ours:
            break
        length += 1
    return length
