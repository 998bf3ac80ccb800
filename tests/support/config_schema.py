#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The JSON schema of the configuration, beside what else tells what a configuration is.

    config_schema.py keys SCHEMA            its keys, as SECTION.KEY, a line each
    config_schema.py fits SCHEMA FILE...    each TOML file is as the schema says
    config_schema.py wrong SCHEMA FILE...   none of them is

"""

import datetime
import json
import sys
import tomllib

import jsonschema


def keys_of(schema):
    """As crivet.toml(5) has them: keys of a rule once, `root` and the members of lists apart."""
    for name, one in schema["properties"].items():
        if name == "default":
            continue  # keys of a rule
        if name == "trust":
            yield from (("trust", key) for key in one["additionalProperties"]["properties"])
        elif name == "rule":
            yield from (("rule", key) for key in one["items"]["properties"])
        elif one.get("type") == "object":
            yield from ((name, key) for key in one["properties"])
        else:
            yield "top", name
    yield from (("root", key) for key in schema["$defs"]["root"]["properties"])


def as_json(value):
    if isinstance(value, dict):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return value.isoformat() if isinstance(value, (datetime.datetime, datetime.date, datetime.time)) else value


def main():
    wanted, schema = sys.argv[1], json.load(open(sys.argv[2]))
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    if wanted == "keys":
        print("\n".join(sorted({".".join(key) for key in keys_of(schema)})))
        return 0
    bad = 0
    for file in sys.argv[3:]:
        with open(file, "rb") as toml:
            found = [f"{file}: {error.json_path}: {error.message[:200]}" for error in
                     validator(schema).iter_errors(as_json(tomllib.load(toml)))]
        if wanted == "fits" and found:
            print("\n".join(found))
            bad = 1
        if wanted == "wrong" and not found:
            print(f"{file}: passes, and is wrong")
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
