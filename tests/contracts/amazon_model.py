"""Holding requests and answers to Amazon's published Swagger 2 models, without any tool besides JSON Schema."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from jsonschema import Draft4Validator

SPECS = ("orders_2026-01-01", "ordersV0", "listingsItems_2021-08-01", "sellers")


class Operation:
    """One operation of a model."""

    def __init__(self, spec, method, path, body):
        self.spec, self.method, self.path, self.body = spec, method, path, body
        self.id = body["operationId"]
        self.pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + r"\Z")
        self.parameters = {(one["in"], one["name"]): one for one in map(self.resolve, body.get("parameters", ()))}

    def resolve(self, schema):
        while "$ref" in schema:
            node = self.spec
            for step in schema["$ref"].removeprefix("#/").split("/"):
                node = node[step]
            schema = node
        return schema

    def request_problems(self, query, body):
        """Everything in a request that the model does not allow."""
        given = parse_qsl(query, keep_blank_values=True)
        problems = [f"unknown query parameter {name}" for name, _ in given if ("query", name) not in self.parameters]
        names = [name for name, _ in given]
        problems += [f"{name} is given twice" for name in set(names) if names.count(name) > 1]
        for (place, name), rule in self.parameters.items():
            if place == "query" and rule.get("required") and name not in names:
                problems.append(f"the query parameter {name} is missing")
        for name, value in given:
            rule = self.parameters.get(("query", name))
            problems += [f"{name}: {problem}" for problem in (_value_problems(value, rule) if rule else ())]
        return problems + self._body_problems(body)

    def _body_problems(self, body):
        rule = next((one for (place, _), one in self.parameters.items() if place == "body"), None)
        if rule is None:
            return ["a body where none is known"] if body else []
        if not body:
            return ["the body is missing"] if rule.get("required") else []
        content = json.loads(body)
        return self.schema_problems(rule["schema"], content) + self.unknown_names(rule["schema"], content)

    def answer_problems(self, status, body):
        """Everything in an answer that the model does not foresee."""
        response = self.body["responses"].get(str(status))
        if response is None:
            return [f"the status {status} is not in the model"]
        schema = self.resolve(response).get("schema")
        if schema is None:
            return ["a body where none is known"] if body else []
        content = json.loads(body)
        return self.schema_problems(schema, content) + self.unknown_names(schema, content)

    def schema_problems(self, schema, content):
        whole = {"definitions": self.spec["definitions"], "allOf": [schema]}
        return [
            f"{list(error.absolute_path)}: {error.message}" for error in Draft4Validator(whole).iter_errors(content)
        ]

    def unknown_names(self, schema, content, at="$"):
        """Names that the model does not have: JSON Schema lets them pass, a vendor may not."""
        schema = self.resolve(schema)
        if isinstance(content, list):
            inner = schema.get("items", {})
            return [bad for n, one in enumerate(content) for bad in self.unknown_names(inner, one, f"{at}[{n}]")]
        known = schema.get("properties")
        if not isinstance(content, dict) or not known or schema.get("additionalProperties"):
            return []
        found = [f"{at}.{name} is not in the model" for name in content if name not in known]
        for name in content:
            found += self.unknown_names(known.get(name, {}), content[name], f"{at}.{name}")
        return found


class Models:
    """The models that the connector speaks, by folder of the published material."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.specs = {name: json.loads((folder / "spec" / f"{name}.json").read_text()) for name in SPECS}

    @cached_property
    def operations(self):
        return [
            Operation(spec, method.upper(), path, body)
            for spec in self.specs.values()
            for path, methods in spec["paths"].items()
            for method, body in methods.items()
            if isinstance(body, dict) and "operationId" in body
        ]

    def find(self, method, path):
        """The operation of a call. `path` is as sent; a slash inside a part is escaped there."""
        fitting = [one for one in self.operations if one.method == method and one.pattern.match(path)]
        assert len(fitting) == 1, f"{method} {unquote(path)}: {[one.id for one in fitting]}"
        return fitting[0]

    def cases(self, spec):
        """Amazon's own sandbox cases of one model: (file name, case)."""
        folder = self.folder / "public" / "sandbox" / spec
        return [(path.stem, json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]

    def published(self, keep):
        """Every different object in the models' examples and sandbox cases that `keep` says yes to."""
        found = {}
        for spec in SPECS:
            paths = {"paths": self.specs[spec]["paths"]}
            for document in (paths, *(case for _, case in self.cases(spec))):
                for one in _objects(document):
                    if keep(one):
                        found[json.dumps(one, sort_keys=True)] = one
        return list(found.values())


def _objects(node):
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from _objects(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _objects(inner)


def _value_problems(text, rule):
    if rule["type"] == "array":
        values = text.split(",")
        if len(values) > rule.get("maxItems", len(values)):
            yield f"{len(values)} values"
        for value in values:
            yield from _value_problems(value, {"type": "string", **rule["items"]})
        return
    if not text:
        yield "is empty"
    if "enum" in rule and text not in rule["enum"]:
        yield f"{text} is none of {rule['enum']}"
    if rule["type"] == "integer" and not _in_range(text, rule):
        yield f"{text} is not a number that is allowed"
    if rule.get("format") == "date-time" and datetime.fromisoformat(text).tzinfo is None:
        yield f"{text} has no zone"


def _in_range(text, rule):
    return text.isdecimal() and rule.get("minimum", 0) <= int(text) <= rule.get("maximum", 10**9)
