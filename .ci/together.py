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
        elif inside and re.match(r"(?!using )[\w:<[]", line):
            found = re.findall(r"(?:struct|class|enum|union) (\w+)", line)
            names.update({name: source for name in found or re.findall(r"(\w+)(?:\(|\{|\[|;| = )", line)[:1]})
    return names


def can_be_one(names, others):
    """Whether two files, by their private names, can be compiled as one."""
    return all(others[name] == how for name, how in names.items() if name in others)


def groups(files):
    """Lists of files; the order of the files decides."""
    made = []
    for file in files:
        names = private_names(file)
        group = next((group for group in made if can_be_one(names, group[0])), None)
        if group is None:
            group = ({}, [])
            made.append(group)
        group[0].update(names)
        group[1].append(file)
    return [files for _, files in made]


if __name__ == "__main__":
    for number, group in enumerate(groups([pathlib.Path(name) for name in sorted(sys.argv[1:])])):
        for name in group:
            print(number, name)
