"""``report.html``: one self-contained page for people, rendered from ``verdict.json`` alone.

The page needs no script and loads nothing. What is quoted in a verdict is untrusted: it is made
plain here and escaped by the template engine.
"""

from __future__ import annotations

import hashlib
import re
import sys
from base64 import b64decode, b64encode
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from pickle import UnpicklingError
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.findings import findings
from reports.sanitise import clean, plain, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2.bccache import Bucket

Json = dict[str, Any]

LONGEST_QUOTE = 20_000
"""Characters of one quoted text. A page with a 10 MB body in it would open nowhere."""

LONGEST_BRIEF = 1_200
"""Characters of a quoted text outside the details: about a screenful."""

MOST_SPELLED_OUT = 10
"""Items of one cause that are listed with what they state; of the others the ids are enough."""

GLYPHS = {
    "PASSED": "✓",
    "ATTESTED": "✓",
    "NOT APPLICABLE": "\N{EN DASH}",
    "WAIVED": "≈",
    "NOT DUE": "◦",
    "PENDING": "…",
    "UNKNOWN": "?",
    "FAILED": "✕",
    "": "·",
}
"""A mark for each outcome, always beside its word; the last is an item that was not in this run."""

PHASE_TITLES = {
    "predeploy": "Before the deployment",
    "deploy": "Deployment",
    "smoke": "Smoke",
    "validation": "Validation",
    "rollback": "Rollback",
    "postdeploy": "After the deployment",
    "security": "Security",
    "load": "Load",
    "gate": "Gate",
}
WINDOW_TITLES = {
    "immediate": "0-15 minutes",
    "short_term": "15-60 minutes",
    "medium_term": "1-6 hours",
    "long_term": "6 hours and more",
}
SEVERITIES = {1: "system down", 2: "degraded", 3: "isolated", 4: "informational"}

_SIXTY = 60
"""Seconds of a minute, minutes of an hour."""
_REACH = re.compile(
    r"(?P<web>https?://[^\s\"'<>]+)|(?P<mail>[\w.+-]+@[\w.-]+)|(?P<phone>\+?[\d ()/-]{5,})", re.ASCII
)


def render(verdict: Json) -> str:
    """Return the page for one verdict (the content of ``verdict.json``)."""
    safe = clean(verdict, LONGEST_QUOTE)
    return _ENGINE.get_template("report.html.j2").render(
        verdict=safe,
        instruction=instruction(safe),
        findings=findings(safe),
        phases=list(_phases(safe)),
        exhibits=[exhibit for record in verdict["records"] for exhibit in _exhibits(record)],
        waiting=[item_id for item_id, item in safe["items"].items() if item["outcome"] == "NOT DUE"],
    )


def _exhibits(record: Json) -> Iterator[Json]:
    """Yield what a check shows. Pictures and drawings are whole or nothing, so they are not shortened."""
    for exhibit in record["exhibits"]:
        shown = clean({k: v for k, v in exhibit.items() if k not in {"png", "svg"}}, LONGEST_QUOTE)
        if exhibit["kind"] == "image":
            shown["png"] = b64encode(b64decode(exhibit["png"], validate=True)).decode("ascii")
        if exhibit["kind"] == "drawing":
            shown["svg"] = Markup(exhibit["svg"])  # noqa: S704 - made by the suite, which escapes what it quotes
        yield shown | {"test": plain(record["test"])}


def instruction(verdict: Json) -> str:
    """Return what the reader does now, as one short sentence."""
    if verdict["action"] == "rollback":
        minutes = [i["within_min"] for i in verdict["items"].values() if i["action"] == "ROLL BACK"]
        soonest = min((m for m in minutes if m is not None), default=None)
        return "Roll back." if soonest is None else f"Roll back within {span(soonest)}."
    if verdict["action"] == "hold":
        return "Do not promote." if verdict["verdict"] == "NO-GO" else "Do not promote, and do not roll back."
    return "Proceed; later windows remain." if verdict["provisional"] else "Proceed."


def span(minutes: float) -> str:
    """Return a number of minutes in words, in hours where these are whole."""
    if minutes >= _SIXTY and minutes % _SIXTY == 0:
        hours = int(minutes // _SIXTY)
        return f"{hours} hour{'s' if hours > 1 else ''}"
    return f"{minutes:g} minute{'s' if minutes != 1 else ''}"


def duration(seconds: float) -> str:
    """Return a duration with the precision that a reader needs."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _SIXTY:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _SIXTY)
    hours, minutes = divmod(minutes, _SIXTY)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def number(value: float | str | None) -> str:
    """Return a measured value for reading: thousands apart, at most six digits, text as it is."""
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def figure(value: float | str | None, unit: str) -> str:
    """Return a value with its unit."""
    return f"{number(value)} {unit}".rstrip()


def bound(of: Mapping[str, Any]) -> str:
    """Return what the measured value was judged against: a text has no limit, it is right or wrong."""
    limit = of["limit"]
    if isinstance(limit, str):
        return "as expected" if limit == of["measured"] else f"expected {figure(limit, of['unit'])}"
    return f"limit {figure(limit, of['unit'])}"


def claim(title: str) -> str:
    """Return a check's claim as the beginning of a longer sentence."""
    return title.rstrip(".")


def moment(text: str) -> str:
    """Return an ISO 8601 time as a date and a time of day; anything else as it is."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = (time.tzname() or "").removesuffix("+00:00")
    return f"{time.day} {time:%b %Y, %H:%M:%S} {zone}".rstrip()


def link(reach: str) -> str:
    """Return the address behind a contact's reach, or an empty string if it is none that may be opened."""
    match = _REACH.fullmatch(reach)
    if match is None:
        return ""
    if match["phone"]:
        return "tel:" + re.sub(r"[^\d+]", "", reach)
    return f"mailto:{reach}" if match["mail"] else reach


def _phases(verdict: Json) -> Iterator[Json]:
    """Yield the phases, and the windows of ``postdeploy``, with their sections and items."""
    entries = sorted(verdict["checklist"], key=_place)
    for unit, of_unit in groupby(entries, key=_place):
        rows = [_row(entry, verdict["items"].get(entry["id"])) for entry in of_unit]
        sections: dict[str, list[Json]] = {}
        for row in rows:
            sections.setdefault(row["section"], []).append(row)
        yield {
            "title": " · ".join(title for title in _titles(unit) if title),
            "sections": sections,
            "size": len(rows),
            "in_run": any(row["outcome"] for row in rows),
            "settled": sum(row["settled"] for row in rows),
            "unbuilt": sum(not row["built"] for row in rows),
        }


def _place(entry: Json) -> tuple[int, int]:
    """Return where an item belongs: its phase and its window, each as a number in their order."""
    return list(PHASE_TITLES).index(entry["phase"]), [None, *WINDOW_TITLES].index(entry["window"])


def _titles(place: tuple[int, int]) -> tuple[str, str]:
    phase, window = place
    return list(PHASE_TITLES.values())[phase], ["", *WINDOW_TITLES.values()][window]


def _row(entry: Json, judged: Json | None) -> Json:
    nothing = {
        "outcome": "",
        "settled": False,
        "measured": None,
        "limit": None,
        "unit": "",
        "message": "",
        "reason": "",
        "attestation": None,
    }
    return {**nothing, **entry, **(judged or {})}


_TEMPLATES = Path(__file__).with_name("templates")


class Compiled(BytecodeCache):
    """Keeps compiled templates where Python keeps compiled modules, and no longer than they are right."""

    def get_source_checksum(self, source: str) -> str:
        """Return what the code depends on: the template, this module's settings, and jinja2 itself."""
        parts = (source.encode(), Path(__file__).read_bytes(), version("jinja2").encode())
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read it; a file that is missing or broken is as good as none."""
        with (
            suppress(OSError, EOFError, ValueError, TypeError, UnpicklingError),
            self._file(bucket).open("rb") as file,
        ):
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write it, unless the folder is read-only or Python is told to keep none."""
        if sys.dont_write_bytecode:
            return
        file = self._file(bucket)
        with suppress(OSError):
            file.parent.mkdir(exist_ok=True)
            with TemporaryDirectory(dir=file.parent) as folder:
                draft = Path(folder) / file.name
                draft.write_bytes(bucket.bytecode_to_string())
                draft.replace(file)

    def _file(self, bucket: Bucket) -> Path:
        return _TEMPLATES / "__pycache__" / f"{bucket.key}.{sys.implementation.cache_tag}.bin"


_ENGINE = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    bytecode_cache=Compiled(),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENGINE.filters.update(bound=bound, brief=lambda text: shorten(text, LONGEST_BRIEF), claim=claim)
_ENGINE.filters.update(duration=duration, link=link, moment=moment, number=number, span=span)
_ENGINE.globals.update(glyphs=GLYPHS, most_spelled_out=MOST_SPELLED_OUT, severities=SEVERITIES)
