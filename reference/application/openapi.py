"""The OpenAPI document, made from the table of endpoints, so that it cannot say anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from reference.application.models import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from reference.application.table import Endpoint

Json = dict[str, Any]


def document(endpoints: Iterable[Endpoint], version: str) -> Json:
    """Return the OpenAPI 3.1 document of the endpoints."""
    endpoints = tuple(endpoints)
    bodies = {model for each in endpoints for model in (each.takes, each.gives) if model} | {Problem}
    ordered = sorted(bodies, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [
            (model, "validation" if model.__name__.endswith("Wanted") else "serialization")
            for model in ordered
        ],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, Json] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ERP reference release", "version": version},
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        },
    }


def operation(endpoint: Endpoint) -> Json:
    """Return one operation object."""
    success: Json = {"description": "Success"}
    if endpoint.gives:
        success |= content(endpoint.gives)
    made: Json = {
        "operationId": endpoint.name,
        "parameters": [*path_parameters(endpoint), *query_parameters(endpoint)],
        "responses": {
            str(endpoint.status): success,
            "default": {"description": "Problem"} | content(Problem),
        },
    }
    if endpoint.takes:
        required = any(field.is_required() for field in endpoint.takes.model_fields.values())
        made["requestBody"] = {"required": required} | content(endpoint.takes)
    if endpoint.allowed is not None:
        made["security"] = [{"bearer": []}, *([{"key": []}] if endpoint.by_key else [])]
    return made


def content(model: type[BaseModel]) -> Json:
    """Return the content of a JSON body."""
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}}


def path_parameters(endpoint: Endpoint) -> list[Json]:
    """Return the parameters in the path; there is only ever ``{id}``."""
    if "{id}" not in endpoint.path:
        return []
    return [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}]


def query_parameters(endpoint: Endpoint) -> list[Json]:
    """Return the parameters in the query; all are optional."""
    if endpoint.filters is None:
        return []
    properties = endpoint.filters.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]
