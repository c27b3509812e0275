from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest

from checks.checklist import load
from reports import html
from reports.html import GLYPHS, bound, duration, link, moment, number, render, span
from reports.record import Outcome

Invented = Callable[[str], dict[str, Any]]
VOID = {"meta", "br", "img", "path", "circle"}


class Page(HTMLParser):
    """Every element of a page with its attributes, its text, and whether it is well nested."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


def _without_style(page: str) -> str:
    """The look may change without every golden file changing."""
    return re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)


def test_rendered_as_before(scenario: str, invented: Invented, golden: Callable[[str, str], None]) -> None:
    golden(f"{scenario}.html", _without_style(render(invented(scenario))))


def test_the_page_loads_nothing_and_runs_nothing(scenario: str, invented: Invented) -> None:
    page = Page(render(invented(scenario)))

    tags = {tag for tag, _ in page.elements}
    attributes = {name for _, attrs in page.elements for name in attrs}
    links = [str(attrs["href"]) for tag, attrs in page.elements if tag == "a"]
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "form", "base"})
    assert not any(name.startswith("on") or name in {"src", "srcset", "action"} for name in attributes)
    assert all(re.match(r"#|https?://|mailto:|tel:", href) for href in links)


def test_hostile_content_is_text(invented: Invented) -> None:
    page = render(invented("hostile"))

    assert "<script>document.title" in Page(page).text
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page) is None
    assert len(page) < 200_000
    page.encode()


def test_no_foreign_script_runs_in_a_browser(
    invented: Invented, tmp_path: Path, browse: Callable[[Path], str]
) -> None:
    path = tmp_path / "report.html"
    path.write_text(
        render({**invented("hostile"), "release": "1.0.0", "environment": "local"}), encoding="utf-8"
    )

    assert "<title>NO-GO: 1.0.0 on local</title>" in browse(path)


def test_a_target_of_a_link_within_the_page_exists(scenario: str, invented: Invented) -> None:
    page = Page(render(invented(scenario)))

    ids = [str(attrs["id"]) for _, attrs in page.elements if "id" in attrs]
    targets = {
        str(a["href"])[1:] for tag, a in page.elements if tag == "a" and str(a["href"]).startswith("#")
    }
    assert len(ids) == len(set(ids))
    assert targets <= set(ids)


def test_every_item_of_the_guide_is_listed_once(invented: Invented) -> None:
    verdict = invented("go")
    entries = [
        {
            **verdict["checklist"][0],
            **{name: getattr(item, name) for name in ("id", "phase", "window", "section", "statement")},
        }
        for item in load().values()
    ]

    page = Page(render({**verdict, "checklist": entries}))

    rows = [attrs["id"] for tag, attrs in page.elements if tag == "tr" and "id" in attrs]
    assert sorted(rows, key=str) == sorted(item_id for item_id in load())
    assert len(rows) == 133


@pytest.mark.parametrize(
    ("scenario_", "said"),
    [
        ("go", "Proceed."),
        ("provisional", "Proceed; later windows remain."),
        ("partial", "Do not promote, and do not roll back."),
        ("hold-unreachable", "Do not promote, and do not roll back."),
        ("waived", "Do not promote."),
        ("no-go-rollback", "Roll back within 5 minutes."),
    ],
)
def test_the_banner_says_what_to_do(scenario_: str, said: str, invented: Invented) -> None:
    page = render(invented(scenario_))

    assert f'<p class="do">{said}</p>' in page
    assert ("PROVISIONAL" in page, "PARTIAL" in page) == (scenario_ == "provisional", scenario_ == "partial")


def test_a_rollback_names_commands_contacts_and_deadline(invented: Invented) -> None:
    text = Page(render(invented("no-go-rollback"))).text

    for told in (
        "docker compose -f docker-compose.production.yml stop",
        "+62 21 5550 1001",
        "within 5 minutes",
    ):
        assert told in text


def test_every_outcome_has_a_glyph_and_a_colour() -> None:
    css = _style()

    for outcome in Outcome:
        assert str(outcome) in GLYPHS
        assert f".{outcome.lower().replace(' ', '-')}" in css


def _style() -> str:
    return (Path(__file__).parents[2] / "reports" / "templates" / "report.css").read_text(encoding="utf-8")


def _contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        full = colour if len(colour) == 6 else "".join(c * 2 for c in colour)
        parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(scheme: int) -> None:
    colours = dict(re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", _style().split(":root")[scheme + 1]))

    for ink in ("ink", "soft", "link", "good", "bad", "open", "calm"):
        assert _contrast(colours[ink], colours["paper"]) >= 4.5, ink
    for tone in ("good", "bad", "open", "calm"):
        assert _contrast(colours[tone], colours[f"{tone}-wash"]) >= 4.5, tone
    for ink in ("ink", "soft"):
        assert _contrast(colours[ink], colours["sheet"]) >= 4.5, ink


def test_the_banner_can_be_read() -> None:
    bands = re.findall(r"--band: #(\w+)", _style())

    assert len(bands) == 3
    assert all(_contrast(band, "fff") >= 7 for band in bands)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0, "0"), (5000, "5,000"), (41.5, "41.5"), (200.04, "200.04"), (0.00042, "0.00042"),
     (1234567, "1,234,567"), ("yes", "yes"), (12345.678, "12,345.7")],
)  # fmt: skip
def test_numbers_are_written_for_people(value: float | str | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0412, "41 ms"), (4.2, "4.2 s"), (192, "3 min 12 s"), (3900, "1 h 05 min")]
)
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(1, "1 minute"), (5, "5 minutes"), (60, "1 hour"), (90, "90 minutes"), (1440, "24 hours")],
)
def test_deadlines_are_written_for_people(minutes: float, text: str) -> None:
    assert span(minutes) == text


@pytest.mark.parametrize(
    ("iso", "text"),
    [
        ("2026-11-22T19:15:00+00:00", "22 Nov 2026, 19:15:00 UTC"),
        ("2026-01-02T03:04:05+07:00", "2 Jan 2026, 03:04:05 UTC+07:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_times_are_written_for_people(iso: str, text: str) -> None:
    assert moment(iso) == text


@pytest.mark.parametrize(
    ("reach", "href"),
    [
        ("+62 21 5550 1001", "tel:+622155501001"),
        ("team-lead@example.org", "mailto:team-lead@example.org"),
        ("https://tickets.example.org/new", "https://tickets.example.org/new"),
        ("javascript:alert(1)", ""),
        ("https://x' onclick='alert(1)", ""),
        ("a@example.org?body=x", ""),
        ("ask at the desk", ""),
    ],
)
def test_a_contact_is_linked_only_where_that_is_safe(reach: str, href: str) -> None:
    assert link(reach) == href


def test_compiled_templates_are_kept_until_something_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "_TEMPLATES", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "page").write_text("one")

    def rendered() -> str:
        engine = jinja2.Environment(
            loader=jinja2.FileSystemLoader(tmp_path), bytecode_cache=html.Compiled(), autoescape=True
        )
        return engine.get_template("page").render()

    assert rendered() == "one"
    (kept,) = (tmp_path / "__pycache__").iterdir()
    before = kept.read_bytes()
    assert rendered() == "one"
    assert kept.read_bytes() == before
    (tmp_path / "page").write_text("two")
    assert rendered() == "two"
    for broken in (b"", before[:40], b"nonsense"):
        kept.write_bytes(broken)
        assert rendered() == "two"


def test_a_page_is_rendered_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "_TEMPLATES", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "__pycache__").touch()  # a file where the folder should be
    loader = jinja2.DictLoader({"page": "one"})
    engine = jinja2.Environment(loader=loader, bytecode_cache=html.Compiled(), autoescape=True)
    assert engine.get_template("page").render() == "one"


@pytest.mark.parametrize(
    ("limit", "measured", "unit", "words"),
    [
        (200, 1234.5, "ms", "limit 200 ms"),
        (201, 500, "", "limit 201"),
        ("1.0.0", "1.0.0", "", "as expected"),
        ("1.0.0", "0.9.0", "", "expected 1.0.0"),
        ("1.0.0", None, "", "expected 1.0.0"),
    ],
)
def test_what_a_value_was_judged_against(limit: Any, measured: Any, unit: str, words: str) -> None:
    assert bound({"limit": limit, "measured": measured, "unit": unit}) == words
