"""Bodies that are, and are not, of the type that they claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.file_types import trouble
from fixtures.http import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/csv", b"\xef\xbb\xbfid,name\n1,<b>\n"),
        ("application/pdf", b"%PDF-1.7 ..."),
        (XLSX, b"PK\x03\x04 ..."),
        ("application/atom+xml", b"<?xml version='1.0'?><feed/>"),
        ("text/plain", b"<html>"),
        ("application/octet-stream", b"\x00"),
    ],
)
def test_what_is_of_its_type(media_type: str, body: bytes) -> None:
    assert trouble(media_type, body) == ""


@pytest.mark.parametrize(
    ("media_type", "body", "why"),
    [
        ("text/csv", b"", "without any content"),
        ("text/csv", b"\n<!DOCTYPE html><title>Error", "begins with"),
        ("text/csv", b'{"error": "no"}', "begins with"),
        ("application/pdf", b"<html>Error", "is no application/pdf"),
        (XLSX, b"id;name", "is no application/vnd"),
        ("application/xml", b"<feed><entry></feed>", "mismatched tag"),
        ("text/xml", b"Traceback", "is no text/xml"),
        ("text/plain", b" \n", "without any content"),
    ],
)
def test_what_is_not(media_type: str, body: bytes, why: str) -> None:
    assert why in trouble(media_type, body)


def test_a_download_that_is_empty_breaks_its_contract(swept: Callable[..., Any]) -> None:
    def answer(body: bytes) -> Answer:
        headers = (("Content-Type", "text/csv; charset=utf-8"),)
        return Answer("GET", "https://api.example/all.csv", 200, headers, body, 1.0, complete=True)

    sweep, _ = swept([{"path": "/all.csv", "content_type": "text/csv"}], {})
    endpoint = sweep._release.endpoints[0]  # noqa: SLF001  the only one

    assert sweep.judged(endpoint, answer(b"id\n1\n")).problems == ()
    assert "without any content" in sweep.judged(endpoint, answer(b"")).problems[0]
