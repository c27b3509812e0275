"""What stands in front of the service turns attacks and floods away, and lets everybody else pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.http import Answer
from fixtures.observation import CannotObserve
from fixtures.waf import ATTACKS

if TYPE_CHECKING:
    from fixtures.edge import Edge
    from fixtures.environment import Environment
    from fixtures.run import Raised
    from fixtures.waf import Firewall

pytestmark = pytest.mark.security

FIRST_SERVER_ERROR = 500

each_attack = pytest.mark.parametrize("attack", ATTACKS)


@item("SEC-POST-1")
@each_attack
def test_attack_is_blocked(attack: str, firewall: Firewall, measured: Measured) -> None:
    """A labelled, harmless request that looks like an attack is refused by the firewall itself.

    A firewall that only detects lets it pass, and so does one that is not there.
    """
    tried = firewall.tried(attack)
    measured(_told(tried.hostile))
    if firewall.is_refusal(tried.plain) or firewall.is_refusal(tried.ordinary):
        got = f"an ordinary request {_told(tried.ordinary)} too"
        raise CannotObserve(f"telling an attack from {tried.plain.url}", got, remedy="see the other check")
    if not firewall.is_refusal(tried.hostile) and not isinstance(tried.hostile, Answer):
        tried.hostile.again()

    assert firewall.is_refusal(tried.hostile), explain(
        expected="the firewall refuses it, as [waf] of the environment file says that it does",
        seen=f"{attack}: the attack {_told(tried.hostile)}, an ordinary request {_told(tried.ordinary)}",
        next="switch the rules from detection to prevention, and attach them to what serves this address",
        by_hand=_curl(tried.hostile),
    )


@item("SEC-POST-1")
@each_attack
def test_ordinary_request_passes_the_firewall(attack: str, firewall: Firewall, measured: Measured) -> None:
    """A request with the same words, as people write them, is answered like one without them."""
    tried = firewall.tried(attack)
    measured(_told(tried.ordinary))
    if firewall.is_refusal(tried.plain):
        got = f"the bare path is answered {tried.plain.status} already"
        raise CannotObserve(f"GET {tried.plain.url}", got, remedy="declare a public path in waf.path")
    if not isinstance(tried.ordinary, Answer):
        if not firewall.is_refusal(tried.ordinary):
            tried.ordinary.again()
        passes = False
    else:
        passes = not firewall.is_refusal(tried.ordinary) and tried.ordinary.status < FIRST_SERVER_ERROR

    assert passes, explain(
        expected=f"an answer as to the bare path, {tried.plain.status}",
        seen=f"{attack}: an ordinary request {_told(tried.ordinary)}",
        next="narrow the firewall's rule: it turns customers away",
        by_hand=_curl(tried.ordinary),
    )


@item("SEC-POST-2")
def test_answers_come_through_the_shield(edge: Edge, environment: Environment, measured: Measured) -> None:
    """Every kind of answer, errors too, carries the header that the CDN or shield puts on it."""
    answers = edge.answers()
    name = (environment.edge and environment.edge.header) or ""
    part = (environment.edge and environment.edge.contains) or ""
    without = [
        each for each in answers if (value := each.header(name)) is None or part.lower() not in value.lower()
    ]
    measured(len(answers), unit="answers")

    assert not without, explain(
        expected=f"{name}{f' with {part!r}' if part else ''} on every answer",
        seen="; ".join(
            f"{each.method} {each.url} answers {each.status} with {name}: {each.header(name) or 'none'}"
            for each in without
        ),
        next="let the name resolve to the CDN or shield, and to nothing else",
        by_hand=without[0].curl,
    )


@item("SEC-POST-2")
def test_origin_cannot_be_reached_around_the_shield(edge: Edge, measured: Measured) -> None:
    """The declared addresses behind proxy and CDN do not answer to anybody who asks them directly."""
    heard = edge.around()
    open_ = [each for each in heard if each.is_served]
    measured(len(open_), limit=0, unit="addresses")

    assert not open_, explain(
        expected="no declared address behind the shield serves the release to us",
        seen="; ".join(map(str, open_)),
        next="let the origin's firewall admit the CDN's or proxy's addresses only",
        by_hand=open_[0].curl,
    )


@item("SEC-POST-2")
def test_one_address_gets_few_connections(edge: Edge, measured: Measured, exhibits: Exhibits) -> None:
    """A few requests more at once than one address may have are refused."""
    crowd = edge.crowd()
    measured(crowd.held, limit=crowd.limit, unit="requests at once")
    exhibits.table(
        f"{crowd.opened} requests at once for {crowd.url}",
        ("held", "refused", "served at once"),
        [(crowd.held, ", ".join(crowd.refused) or "none", ", ".join(map(str, crowd.served)) or "none")],
    )
    if not crowd.refused and crowd.served:
        got = f"{len(crowd.served)} of {crowd.opened} were answered before they had ended"
        remedy = "attest the limit instead: requests cannot be kept under way here"
        raise CannotObserve(f"GET {crowd.url}, {crowd.opened} at once", got, remedy=remedy)

    assert crowd.refused and crowd.held <= crowd.limit, explain(  # noqa: PT018  one claim
        expected=f"at most {crowd.limit} requests of one address under way at once",
        seen=f"{crowd.held} of {crowd.opened} were held, {len(crowd.refused)} refused",
        next="limit the connections of one address at the proxy (nginx: limit_conn)",
    )


# ---------------------------------------------------------------- wording


def _told(what: Answer | Raised) -> str:
    return f"is answered {what.status}" if isinstance(what, Answer) else f"ended: it {what.texts[-1]}"


def _curl(what: Answer | Raised) -> str:
    return what.curl if isinstance(what, Answer) else ""
