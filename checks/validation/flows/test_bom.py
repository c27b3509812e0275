"""A bill of materials of the run's own lives and dies as promised, and what must be refused is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from checks.validation.flows import bom
from checks.validation.flows.races import REFUSALS, judge
from checks.validation.flows.steps import different, held, listed, same
from fixtures.bodies import hidden_error
from fixtures.http import NotJson
from fixtures.observation import Absent, CannotObserve
from fixtures.paging import SIZES, UNMISTAKABLE, total
from fixtures.quoting import cut
from fixtures.record_life import GONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.validation.flows.steps import Flow, Step
    from fixtures.endpoint import Endpoint
    from fixtures.release import Release

pytestmark = [pytest.mark.validation, pytest.mark.writes]

REMEDY = "read the service's log for this request"
BAD_REQUEST, NOT_FOUND, CONFLICT, FIRST_SERVER_ERROR = 400, 404, 409, 500
BAD_INPUT_STATUSES = frozenset(range(400, 500)) - {401, 403, 404, 405, 408, 409, 415, 429}
"""A refusal for what was sent. The ones left out speak of other things: who asks, where, how often."""

SIZE_HEADERS = ("X-Limit", "X-Per-Page", "X-Page-Size")
"""How headers are called that tell the size of a page, where the body is the list alone."""


# ---------------------------------------------------------------- one life


@item("VAL-API-1", "REL-BOM-1")
def test_bom_is_created(bom_flow: Flow, release: Release, measured: Measured) -> None:
    """Creating a BOM answers with the promised status and no error."""
    step, promised = bom_flow.step("create"), release.endpoint("create_bom").status
    measured(step.answer.status, limit=promised)
    trouble = _hidden(step)

    assert step.answer.status == promised and not trouble, explain(  # noqa: PT018  one claim
        expected=f"creating a BOM answers {promised}, with the BOM",
        seen=f"{step.told}{trouble and '; ' + trouble}",
        next=REMEDY,
        by_hand=step.answer.curl,
    )


def _hidden(step: Step) -> str:
    try:
        return hidden_error(step.answer.json())
    except NotJson as error:
        return str(error)


@item("VAL-API-1", "REL-BOM-1")
@pytest.mark.parametrize("name", bom.SHOWING)
def test_created_bom_is_listed(name: str, bom_flow: Flow, release: Release) -> None:
    """The list shows a BOM that was just created, also with the filters that fit it."""
    id_, step, endpoint = bom_flow.fact("id"), bom_flow.step(name), release.endpoint("list_boms")

    assert id_ in _ids(endpoint, step), explain(
        expected=f"{step.answer.url} shows BOM {id_}",
        seen=f"{step.told}: it does not",
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-1", "REL-BOM-1")
def test_created_bom_can_be_read(bom_flow: Flow, release: Release) -> None:
    """Reading a BOM answers with what was sent to create it."""
    endpoint, step = release.endpoint("read_bom"), bom_flow.step("read")
    wrong = different(_echoed(release, bom_flow.fact("sent")), held(endpoint, step.answer))

    assert step.answer.status == endpoint.status and not wrong, explain(  # noqa: PT018  one claim
        expected=f"reading BOM {bom_flow.fact('id')} answers {endpoint.status}, with what was sent",
        seen=wrong or step.told,
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-1", "REL-BOM-1")
def test_bom_is_updated(bom_flow: Flow, release: Release, measured: Measured) -> None:
    """Updating a BOM answers with the promised status."""
    step, promised = bom_flow.step("update"), release.endpoint("update_bom").status
    measured(step.answer.status, limit=promised)

    assert step.answer.status == promised, explain(
        expected=f"updating a BOM answers {promised}",
        seen=f"{step.told}{step.changed and '; and yet ' + step.changed}",
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-1", "REL-BOM-1")
def test_update_is_there_afterwards(bom_flow: Flow, release: Release) -> None:
    """Reading a BOM after its update shows what was changed."""
    bom_flow.done("update", release.endpoint("update_bom").status)
    step = bom_flow.step("read updated")
    change = _echoed(release, bom_flow.fact("change"))
    wrong = different(change, held(release.endpoint("read_bom"), step.answer))

    assert not step.failed and not wrong, explain(  # noqa: PT018  one claim
        expected="a BOM shows what its update has changed",
        seen=wrong or step.told,
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-1", "REL-BOM-1")
def test_update_changes_nothing_else(bom_flow: Flow, release: Release) -> None:
    """An update leaves what it does not name as it was; it raises the revision."""
    bom_flow.done("update", release.endpoint("update_bom").status)
    endpoint, changed = release.endpoint("read_bom"), json.loads(bom_flow.fact("change"))
    before, after = (held(endpoint, bom_flow.step(name).answer) for name in ("read", "read updated"))
    own = json.loads(bom_flow.fact("sent")).keys() & before.keys() - {*changed, "revision"}
    wrong = different({name: before[name] for name in own}, after, source="before it was")

    assert not wrong, explain(
        expected=f"an update of {', '.join(changed)} leaves {', '.join(sorted(own))} as they were",
        seen=wrong,
        next="change only the fields that are sent",
        by_hand=bom_flow.step("update").answer.curl,
    )


@item("VAL-API-1", "REL-BOM-1")
def test_update_raises_the_revision(bom_flow: Flow, release: Release, measured: Measured) -> None:
    """An update raises the revision of a BOM."""
    bom_flow.done("update", release.endpoint("update_bom").status)
    steps = [bom_flow.step(name) for name in ("read", "read updated")]
    before, after = (held(release.endpoint("read_bom"), step.answer).get("revision") for step in steps)
    if before is None:
        raise CannotObserve(
            "reading the revision of a BOM", f"before its update it shows none: {steps[0].told}"
        )
    measured(str(after), limit=f"after {before}")

    assert bom.is_raised(str(before), str(after)), explain(
        expected=f"a revision after {before}",
        seen=f"revision {after} after an update that answered {bom_flow.step('update').answer.status}",
        next="let every update raise the revision: production tells the versions of a BOM apart by it",
        by_hand=steps[1].answer.curl,
    )


@item("VAL-API-1", "REL-BOM-1")
def test_bom_is_deleted(bom_flow: Flow, release: Release, measured: Measured) -> None:
    """Deleting a BOM answers with the promised status."""
    step, promised = bom_flow.step("delete"), release.endpoint("delete_bom").status
    measured(step.answer.status, limit=promised)

    assert step.answer.status == promised, explain(
        expected=f"deleting a BOM answers {promised}",
        seen=f"{step.told}{step.changed and '; and yet ' + step.changed}",
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-1", "REL-BOM-1")
def test_deleted_bom_is_gone(bom_flow: Flow, release: Release) -> None:
    """A deleted BOM is found neither by its id nor in the list of active ones."""
    deleted = bom_flow.done("delete", release.endpoint("delete_bom").status)
    read, listing, id_ = bom_flow.step("read deleted"), bom_flow.step("list without it"), bom_flow.fact("id")
    shown = held(release.endpoint("read_bom"), read.answer)
    is_there = read.answer.status not in GONE and not bom.is_inactive(release, shown)
    is_listed = id_ in _ids(release.endpoint("list_boms"), listing)

    assert not is_there and not is_listed, explain(  # noqa: PT018  one claim
        expected=f"BOM {id_} is gone after its deletion answered {deleted.answer.status}",
        seen=f"reading it answers {read.told}" if is_there else f"{listing.answer.url} still shows it",
        next=REMEDY,
        by_hand=(read if is_there else listing).answer.curl,
    )


@item("VAL-API-1", "REL-BOM-1")
def test_deletion_is_soft(bom_flow: Flow, release: Release) -> None:
    """A deleted BOM is kept, and listed once inactive ones are asked for."""
    bom_flow.done("delete", release.endpoint("delete_bom").status)
    own, step = release.records.get("bom"), bom_flow.step("list with inactive")
    if own is None or own.undo != "soft delete":
        raise CannotObserve("looking for a deleted BOM", "the release file does not say that it is kept")

    assert bom_flow.fact("id") in _ids(release.endpoint("list_boms"), step), explain(
        expected=f"{step.answer.url} shows the deleted BOM {bom_flow.fact('id')}",
        seen=f"{step.told}: it does not",
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("VAL-API-1", "REL-BOM-1")
def test_boms_of_the_run_are_removed_again(bom_flow: Flow) -> None:
    """Every BOM and order that the flow made is gone when it is over."""
    if not bom_flow.made:
        raise CannotObserve("looking for what the flow left", "it made nothing")

    assert not bom_flow.left, explain(
        expected="nothing is left of the flow",
        seen="; ".join(bom_flow.left),
        next="remove it by hand: its mark names this run; the next run tries again",
    )
    if bom_flow.unproven:
        raise CannotObserve("looking for what the flow left", "; ".join(bom_flow.unproven))


# ---------------------------------------------------------------- lists


@item("REL-BOM-1")
@pytest.mark.parametrize("name", bom.HIDING)
def test_list_hides_what_the_filter_leaves_out(name: str, bom_flow: Flow, release: Release) -> None:
    """The list shows no BOM that its query leaves out."""
    id_, step, endpoint = bom_flow.fact("id"), bom_flow.step(name), release.endpoint("list_boms")

    assert step.answer.status < FIRST_SERVER_ERROR and id_ not in _ids(endpoint, step), explain(  # noqa: PT018
        expected=f"{step.answer.url} leaves BOM {id_} out",
        seen=f"{step.told}" + (": it shows it" if id_ in _ids(endpoint, step) else ""),
        next="apply the query's filters, and skip and limit, to the list",
        by_hand=step.answer.curl,
    )


@item("REL-BOM-1")
def test_list_of_a_product_is_its_own(bom_flow: Flow, release: Release) -> None:
    """The list of a product's active BOMs shows active ones of that product alone."""
    step, product = bom_flow.step("list"), bom_flow.fact("product")
    entries = listed(release.endpoint("list_boms"), step.answer)
    others = [
        entry
        for entry in entries or ()
        if not same(product, entry.get("product_id", product)) or bom.is_inactive(release, entry)
    ]

    trouble = f"{len(others)} others, such as {cut(str(others[0]), 200)}" if others else ""

    assert not trouble and entries is not None, explain(  # noqa: PT018  one claim
        expected=f"{step.answer.url} shows active BOMs of product {product} alone",
        seen=trouble or step.told,
        next="apply the query's filters to the list",
        by_hand=step.answer.curl,
    )


@item("REL-BOM-1")
def test_list_goes_on_page_by_page(bom_flow: Flow, release: Release) -> None:
    """Two pages of one BOM show the first two of the whole list, and the same total."""
    endpoint, own = release.endpoint("list_boms"), release.records.get("bom")
    if own is None or own.undo != "soft delete":
        raise Absent("second BOM of a product", "the release file does not say that deleted ones are kept")
    steps = [bom_flow.step(name) for name in bom.PAGES]
    every, first, second = (_ids(endpoint, step) for step in steps)
    if len(every) < 2:  # noqa: PLR2004  one is no second page
        raise CannotObserve(
            f"paging through {steps[0].answer.url}", f"it has {len(every)} BOMs: {steps[0].told}"
        )
    totals = [total(step.answer, UNMISTAKABLE) for step in steps]
    wrong = [
        f"{step.answer.url} shows {', '.join(shown) or 'none'}"
        for step, shown, wanted in ((steps[1], first, every[0]), (steps[2], second, every[1]))
        if shown != [wanted]
    ]
    if len(set(totals)) > 1 or (totals[0] is not None and totals[0] < len(every)):
        wrong.append(f"the totals are {', '.join(map(str, totals))}")

    assert not wrong, explain(
        expected=f"pages of one BOM show {every[0]} and {every[1]}, and all tell the same total",
        seen="; ".join(wrong),
        next="apply skip and limit to the list, and count the whole of it",
        by_hand=steps[2].answer.curl,
    )


@item("REL-BOM-1")
@pytest.mark.parametrize("name", bom.LIMITS)
def test_list_is_limited(name: str, bom_flow: Flow, release: Release, measured: Measured) -> None:
    """A page of more than 500 BOMs is refused, or cut at 500."""
    step = bom_flow.step(name)
    entries = listed(release.endpoint("list_boms"), step.answer)
    measured(f"{step.answer.status}, {len(entries or ())} entries", limit=bom.MOST_LISTED)
    is_whole = entries is not None and len(entries) <= bom.MOST_LISTED

    assert is_whole or step.answer.status in BAD_INPUT_STATUSES, explain(
        expected=f"{step.answer.url} is refused with 4xx, or answers with at most {bom.MOST_LISTED} entries",
        seen=f"{len(entries)} entries" if entries is not None else step.told,
        next="limit the page: one request for all rows can exhaust the service",
        by_hand=step.answer.curl,
    )
    if entries is not None and len(entries) < bom.MOST_LISTED and not _tells_its_limit(step):
        raise CannotObserve(
            f"asking for more than {bom.MOST_LISTED} BOMs",
            f"it is accepted, and {len(entries)} are too few to see whether the page is cut",
            remedy=f"refuse a limit over {bom.MOST_LISTED}, or tell in the answer which one was taken",
        )


def _tells_its_limit(step: Step) -> bool:
    """Return whether an answer tells the limit that was taken, and it is not too high."""
    headers = [step.answer.header(name) for name in SIZE_HEADERS]
    return any(int(str(told)) <= bom.MOST_LISTED for told in (*headers, *_sizes(step.answer.json())) if told)


def _sizes(body: object) -> Iterator[int]:
    """Yield what an answer says about the size of its page, outside of its list."""
    for name, value in body.items() if isinstance(body, dict) else ():
        if name in SIZES and isinstance(value, int) and not isinstance(value, bool):
            yield value
        yield from _sizes(value)


# ---------------------------------------------------------------- refusals


@item("REL-BOM-1")
def test_second_active_bom_is_refused(bom_flow: Flow, release: Release, measured: Measured) -> None:
    """A second active BOM of a product is refused with 409."""
    bom_flow.done("create", release.endpoint("create_bom").status)
    step = bom_flow.step("duplicate")
    measured(step.answer.status, limit=CONFLICT)

    assert step.answer.status == CONFLICT, explain(
        expected=f"a second active BOM of product {bom_flow.fact('product')} is refused with {CONFLICT}",
        seen=step.told,
        next="make it a rule of the database: two requests at once get past a rule of the code",
        by_hand=step.answer.curl,
    )


@item("REL-BOM-1")
def test_second_active_bom_of_another_type_is_refused(bom_flow: Flow, measured: Measured) -> None:
    """A second active BOM of a product is refused with 409, whatever its type."""
    step = bom_flow.step(bom.OTHER_DUPLICATE)
    measured(step.answer.status, limit=CONFLICT)

    assert step.answer.status == CONFLICT, explain(
        expected=f"a second active BOM of product {bom_flow.fact('product')}, of another type, is refused "
        f"with {CONFLICT}",
        seen=step.told,
        next="let the rule count all active BOMs of a product",
        by_hand=step.answer.curl,
    )


@item("REL-BOM-1")
@pytest.mark.usefixtures("_several_at_once")
def test_one_of_several_boms_at_once_is_made(bom_flow: Flow, release: Release, measured: Measured) -> None:
    """Of several BOMs of a product that are created at once, one is."""
    race = bom_flow.race(bom.RACE)
    measured(race.told)
    judge(
        race,
        what=f"creations of a BOM of product {bom_flow.fact('product')}",
        promised=release.endpoint("create_bom").status,
        following="make it a rule of the database: two requests at once get past a rule of the code",
    )


@item("REL-BOM-1")
@pytest.mark.usefixtures("_several_at_once")
def test_updates_at_once_raise_the_revision_each(
    bom_flow: Flow, release: Release, measured: Measured
) -> None:
    """Of several updates of a BOM at once, each that succeeds gives it a revision of its own."""
    race, endpoint = bom_flow.race(bom.UPDATE_RACE), release.endpoint("update_bom")
    done = [answer for answer in race.answers if answer.status == endpoint.status]
    strange = [answer for answer in race.answers if answer.status not in {endpoint.status, *REFUSALS}]
    told = [held(endpoint, answer).get("revision") for answer in done]
    revisions = [str(revision) for revision in told if revision is not None]
    shown = [str(each.get("revision")) for each in (race.before, race.after)]
    measured(f"{race.told}; {', '.join(revisions)}; from {shown[0]} to {shown[1]}")
    raised = len(set(revisions)) if revisions else bom.times_raised(*shown)
    if raised is None and not strange:
        got = f"no answer tells the revision, which went from {shown[0]} to {shown[1]}"
        raise CannotObserve("updating a BOM several times at once", got)

    assert raised == len(done) and not strange, explain(  # noqa: PT018  one claim
        expected=f"of {len(race.answers)} updates at once, each that answers {endpoint.status} raises the "
        "revision, and the others are refused with 4xx",
        seen=f"{race.told}; revisions {', '.join(revisions) or f'from {shown[0]} to {shown[1]}'}",
        next="lock the BOM before its revision is read: an update that overwrites another one is lost",
        by_hand=race.answers[0].curl,
    )
    for each in race.raised:
        each.again()
    if not done:
        raise CannotObserve("updating a BOM several times at once", f"none succeeded: {race.told}")


@item("REL-BOM-1")
def test_bom_of_an_unknown_product_is_refused(bom_flow: Flow, measured: Measured) -> None:
    """A BOM of a product that does not exist is refused with 400."""
    step = bom_flow.step("create: unknown product")
    measured(step.answer.status, limit=BAD_REQUEST)

    assert step.answer.status == BAD_REQUEST, explain(
        expected=f"a BOM of an unknown product is refused with {BAD_REQUEST}",
        seen=step.told,
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("REL-BOM-1")
@pytest.mark.parametrize("name", [*bom.BAD_INPUT, *bom.BAD_UPDATES])
def test_bad_input_is_refused(name: str, bom_flow: Flow, measured: Measured) -> None:
    """A BOM that makes no sense is refused with a status that says so."""
    step = bom_flow.step(name)
    measured(step.answer.status, limit="4xx")
    if step.answer.status == CONFLICT:
        raise CannotObserve(f"step {name!r}", "answered 409: another BOM of the product is in the way")

    assert step.answer.status in BAD_INPUT_STATUSES, explain(
        expected=f"{name}: refused with 4xx",
        seen=f"{step.told}{step.changed and '; ' + step.changed}",
        next="validate what is sent before it is used",
        by_hand=step.answer.curl,
    )


@item("REL-BOM-1")
@pytest.mark.parametrize("name", bom.UNKNOWN)
def test_unknown_id_is_not_found(name: str, bom_flow: Flow, measured: Measured) -> None:
    """A BOM that does not exist is answered with 404."""
    step = bom_flow.step(name)
    measured(step.answer.status, limit=NOT_FOUND)

    assert step.answer.status == NOT_FOUND, explain(
        expected=f"{name}: {NOT_FOUND} for BOM {bom_flow.fact('unknown id')}, which does not exist",
        seen=step.told,
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("REL-BOM-1")
@pytest.mark.parametrize("name", bom.GONE_BY_NOW)
def test_deleted_bom_cannot_be_used(name: str, bom_flow: Flow, release: Release, measured: Measured) -> None:
    """A deleted BOM can be neither updated nor deleted again.

    One that can still be read is not missing: it may be refused otherwise, or deleting it may do nothing.
    """
    step, wanted = bom_flow.step(name), GONE
    if bom_flow.step("read deleted").answer.status not in GONE:
        wanted = GONE | {BAD_REQUEST, CONFLICT}
        deleting = release.endpoint("delete_bom").status
        wanted |= {deleting} if name == bom.GONE_BY_NOW[1] and not step.changed else set()
    measured(step.answer.status, limit=" or ".join(map(str, sorted(wanted))))

    assert step.answer.status in wanted, explain(
        expected=f"{name}: {' or '.join(map(str, sorted(wanted)))}",
        seen=f"{step.told}{step.changed and '; ' + step.changed}",
        next=REMEDY,
        by_hand=step.answer.curl,
    )


@item("REL-BOM-1")
def test_bom_in_use_cannot_be_deleted(bom_flow: Flow, measured: Measured) -> None:
    """Deleting a BOM on which an active order depends is refused with 400."""
    step = bom_flow.step("delete in use")
    measured(step.answer.status, limit=BAD_REQUEST)

    assert step.answer.status == BAD_REQUEST, explain(
        expected=f"deleting a BOM on which an active order depends is refused with {BAD_REQUEST}",
        seen=f"{step.told}{step.changed and '; ' + step.changed}",
        next="refuse it: the order loses its bill of materials",
        by_hand=step.answer.curl,
    )


@item("REL-BOM-1")
def test_failed_bom_writes_change_nothing(bom_flow: Flow, exhibits: Exhibits) -> None:
    """A request that is answered with an error has changed no BOM, for readers or in the database."""
    commits = bom_flow.commits(bom.WRITES)
    exhibits.table("What each request changed", ("request", "answer", "changed"), commits.rows)

    assert not commits.wrong, explain(
        expected="what is answered with an error is not committed",
        seen="; ".join(commits.wrong),
        next="make each request one transaction that ends before the answer",
    )
    if commits.unseen:
        raise CannotObserve("asking what failed writes changed", "; ".join(commits.unseen))


# ---------------------------------------------------------------- helpers


def _echoed(release: Release, sent: str) -> dict[str, object]:
    """Return what was sent, without what comes back as something else."""
    passed_over = release.records["bom"].not_echoed
    return {name: value for name, value in json.loads(sent).items() if name not in passed_over}


def _ids(endpoint: Endpoint, step: Step) -> list[str]:
    return [str(entry.get(endpoint.id_field)) for entry in listed(endpoint, step.answer) or ()]
