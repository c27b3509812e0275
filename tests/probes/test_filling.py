"""Bodies that name a record by its id, and what GraphQL has in braces."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.endpoint import Endpoint
from fixtures.environment import Environment
from fixtures.filling import open_placeholders, own_content
from fixtures.observation import CannotObserve

HERE = Environment.model_validate({"name": "x", "release": "1", "identity": {"unproven": "a test"}})


def read(body: dict[str, Any], **more: Any) -> Endpoint:
    how = {"name": "job", "method": "POST", "path": "/graphql", "kind": "read", "read_only": True}
    return Endpoint.model_validate({**how, "ids_from": "jobs", "body": body, **more})


def test_an_id_goes_into_a_body_as_text_or_as_a_number() -> None:
    endpoint = read({"query": "{ job(id: 7) { id } }", "n": ["{id}", "{id:number}"], "text": "job {id}"})
    content = own_content(endpoint, HERE, "mark", "17")

    assert open_placeholders(endpoint) == ["id"]
    assert endpoint.shown == "POST /graphql (job)"
    assert content is not None
    assert content.sent == b'{"query": "{ job(id: 7) { id } }", "n": ["17", 17], "text": "job 17"}'


def test_an_id_that_is_no_number_is_not_sent_as_one() -> None:
    with pytest.raises(CannotObserve, match="the id 'j1' is no number") as caught:
        own_content(read({"n": "{id:number}"}), HERE, "mark", "j1")
    assert caught.value.remedy == "write {id} in the body"


def test_an_endpoint_without_a_body_sends_none() -> None:
    assert own_content(read({}, path="/jobs/{id}"), HERE, "mark", "j1") is None
