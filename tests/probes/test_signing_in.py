"""What a sign-in is sent with: HTTP Basic, and the CSRF token of a page, a cookie or a JSON body."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from fixtures.http import Answer
from fixtures.sign_in_profile import CsrfToken, SignIn
from fixtures.signing_in import Form, NoForm, basic, kept, opened, page, request, shown_token

VALUES = {"username": "a client", "password": "s3cret & more:"}


def sign_in(**changes: Any) -> SignIn:
    how = {"path": "/in", "body": {"name": "{username}"}, "token": "t", "role": "clerk"}
    return SignIn.model_validate({**how, **changes})


def answer(body: str, *cookies: str, status: int = 200) -> Answer:
    headers = tuple(("Set-Cookie", cookie) for cookie in cookies)
    return Answer("GET", "https://shop.example/in", status, headers, body.encode(), 1.0, complete=True)


class Told:
    """A line that answers with what it is given, and keeps what it was asked."""

    component = "api"

    def __init__(self, reply: Answer) -> None:
        self.reply = reply
        self.asked: list[Any] = []

    def exchange(self, asked: Any) -> Answer:
        self.asked.append(asked)
        return self.reply


@pytest.mark.parametrize(
    ("body", "pair"),
    [
        ({"grant_type": "client_credentials"}, "a+client:s3cret+%26+more%3A"),  # RFC 6749, 2.3.1
        ({"scope": "all"}, "a client:s3cret & more:"),  # RFC 7617, 2
    ],
)
def test_name_and_password_go_along_as_http_basic(body: dict[str, str], pair: str) -> None:
    how = sign_in(body=body, basic=["{username}", "{password}"])
    sent = request(how, Form(), VALUES, {"username": "a client", "password": "@@PASSWORD@@"})
    (header,) = sent.secrets

    assert b64decode(header.value.removeprefix("Basic ")).decode() == pair
    assert "s3cret" not in repr(sent) + header.shown
    assert basic(sign_in(), VALUES) == ""


@pytest.mark.parametrize(
    ("csrf", "body", "token"),
    [
        ({"input": "t"}, "<p><input name=t value='a&amp;b'>", "a&b"),
        ({"input": "t"}, "<head><meta name='t' content=abc></head><input name=u value=x>", "abc"),
        ({"input": "t"}, "<input name=t><input name='t' value='second'>", "second"),
        ({"input": "t"}, "<input name=other value=x><p name=t content=x>", ""),
        ({"field": "csrf.token"}, '{"csrf": {"token": "abc"}}', "abc"),
        ({"field": "csrf.token"}, '{"csrf": {"token": 7}}', ""),
        ({"field": "csrf.token"}, "<p>", ""),
        ({"cookie": "XSRF-TOKEN"}, "", "a=b"),
        ({"cookie": "other"}, "", ""),
    ],
)
def test_a_token_is_found_where_the_release_says_it_is(csrf: dict[str, str], body: str, token: str) -> None:
    how = CsrfToken.model_validate({"path": "/in", **csrf})

    assert shown_token(how, answer(body), {"XSRF-TOKEN": "a%3Db"}) == token


def test_a_form_keeps_the_cookies_of_its_page_and_of_the_client() -> None:
    line = Told(answer("", "sid=old; Path=/", "sid=new; Path=/", "csrf=tok; Path=/", "gone=x; Max-Age=0"))
    how = sign_in(csrf={"path": "/form", "cookie": "csrf", "header": "X-CSRF"})
    form = opened(line, how, {"planted": "p"})  # type: ignore[arg-type]  # as much of a line as is needed

    assert (form.cookies, form.csrf) == ({"planted": "p", "sid": "new", "csrf": "tok"}, "tok")
    (asked,) = line.asked
    assert (asked.path, asked.secrets[0].value) == ("/form", "planted=p")
    sent = request(how, form, VALUES, VALUES)
    assert {each.name: each.value for each in sent.secrets} == {
        "Cookie": "planted=p; sid=new; csrf=tok",
        "X-CSRF": "tok",
    }
    assert kept(line.reply) == {"sid": "new", "csrf": "tok"}


def test_without_a_csrf_token_nothing_is_asked_before() -> None:
    line = Told(answer(""))

    assert opened(line, sign_in()) == Form()  # type: ignore[arg-type]  # as above
    assert not line.asked


@pytest.mark.parametrize(("body", "status"), [("<p>sorry</p>", 200), ("<input name=t value=abc>", 503)])
def test_a_page_that_does_not_show_the_token_is_told_with_its_answer(body: str, status: int) -> None:
    line = Told(answer(body, status=status))
    how = CsrfToken(path="/form", input="t")

    with pytest.raises(NoForm, match=rf"does not show the CSRF token \(input t\); it answers {status}") as no:
        page(line, how, "/form", {})  # type: ignore[arg-type]  # as above
    assert no.value.answer is line.reply
