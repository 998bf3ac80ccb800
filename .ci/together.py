#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which C++ files can be compiled as one: those that share no name of a namespace without a name.

Headers take most of a compiler's time, and of clang-tidy's: several files of a room in one go cost little more than one.

.ci/together.py FILE...     prints a line `group file` for each
"""

import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


@functools.cache
def private_names(source):
    """What a file declares in namespaces without a name, and how, for all that its lines tell: an alias may be said twice."""
    names, inside = {}, False
    for line in source.read_text().splitlines():
        if line.startswith("namespace {"):
            inside = True
        elif line.startswith("}  // namespace"):
            inside = inside and line != "}  // namespace"
        elif line.startswith("#define "):
            names[line.split()[1].partition("(")[0]] = source
        elif alias := re.match(r"(?:using|namespace) (\w+) = .*;$", line):
            names[alias[1]] = line
        elif suite := re.match(r"BOOST_\w+_TEST_SUITE\((\w+)", line):
            names[suite[1]] = source
        elif line.startswith("BOOST_"):
            pass  # a test is its suite's
        elif inside and re.match(r"(?!using )[\w:<[]", line):
            found = re.findall(r"(?:struct|class|enum|union) (\w+)", line)
            names.update({name: source for name in found or re.findall(r"(\w+)(?:\(|\{|\[|;| = )", line)[:1]})
    return names


@functools.cache
def types_of_headers():
    """The types that our headers declare: a test may have one of that name for itself, alone."""
    lines = (line for top in ("trust", "proxy", "tests") for header in (ROOT / top).rglob("*.h")
             for line in header.read_text().splitlines())
    return {found[1] for line in lines if (found := re.match(r"(?:struct|class|enum(?: class)?|using) (\w+)", line))}


def is_alone(source, names):
    return source.resolve().is_relative_to(ROOT / "tests") and not types_of_headers().isdisjoint(names)


def can_be_one(names, others):
    """Whether two files, by their private names, can be compiled as one."""
    return all(others[name] == how for name, how in names.items() if name in others)


def groups(files):
    """Lists of files; the order of the files decides."""
    made, single = [], []
    for file in files:
        names = private_names(file)
        alone = is_alone(file, names)
        group = None if alone else next((group for group in made if can_be_one(names, group[0])), None)
        if group is None:
            group = ({}, [])
            (single if alone else made).append(group)
        group[0].update(names)
        group[1].append(file)
    return [files for _, files in made + single]


if __name__ == "__main__":
    for number, group in enumerate(groups([pathlib.Path(name) for name in sorted(sys.argv[1:])])):
        for name in group:
            print(number, name)
