#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do JSON lines match a schema of systemd/schema?

    matches_schema.py SCHEMA [FILE...]      without FILE: standard input

Knows what those schemas use of JSON Schema, and is strict where readers must not be: a member that is not described is an
error. Says what does not match, and where; at least one line must be there."""

import json
import re
import sys

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
KNOWN = {"$schema", "$id", "title", "description", "type", "properties", "required", "additionalProperties", "items", "enum",
         "const", "pattern", "format", "anyOf"}


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def problems(value, schema, where="$"):
    assert not set(schema) - KNOWN, f"the schema uses what this does not know: {set(schema) - KNOWN}"
    if "anyOf" in schema:
        tried = [list(problems(value, one, where)) for one in schema["anyOf"]]
        if all(tried):
            yield from min(tried, key=len)
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(is_type(value, name) for name in names):
        yield f"{where}: is not of type {names}: {value!r}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{where}: {value!r} is not like {schema['pattern']}"
    if isinstance(value, list) and "items" in schema:
        for index, one in enumerate(value):
            yield from problems(one, schema["items"], f"{where}[{index}]")
    if isinstance(value, dict) and ("properties" in schema or "additionalProperties" in schema):
        described = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}: {name} is missing"
        for name, one in value.items():
            if name in described:
                yield from problems(one, described[name], f"{where}.{name}")
            elif "additionalProperties" in schema:
                yield from problems(one, schema["additionalProperties"], f"{where}.{name}")
            else:
                yield f"{where}.{name} is not described"


def main():
    schema = json.load(open(sys.argv[1]))
    lines = [line for name in sys.argv[2:] or ["/dev/stdin"] for line in open(name) if line.strip()]
    bad = [f"{problem}, in {line.strip()[:300]}" for line in lines for problem in problems(json.loads(line), schema)]
    if not lines:
        bad.append("there is nothing to match")
    print("\n".join(bad[:20]), end="\n" if bad else "")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
