# SPDX-License-Identifier: Apache-2.0
"""The table of a page that says where tools answer differently: one row a set of cases, what each tool says, and why."""

import collections
import pathlib


def differ(row):
    """Whether those that were asked (`-`: not) say both allowed and refused."""
    said = {answer.split()[0] for answer in row if answer != "-"}
    return len(said) > 1


def table_in(path, tools):
    """{case: (answers, why)}"""
    rows = {}
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == len(tools) + 2 and cells[1] in ("allowed", "refused"):
            for name in cells[0].split(", "):
                rows[name] = (tuple(cells[1:-1]), cells[-1])
    return rows


def table_of(rows, tools):
    grouped = collections.defaultdict(list)
    for name, row in rows.items():
        grouped[row].append(name)
    lines = ["| " + " | ".join(["case", *tools, "why"]) + " |", "|" + "---|" * (len(tools) + 2)]
    lines += [f"| {', '.join(sorted(names))} | {' | '.join(answers)} | {why} |" for (answers, why), names in sorted(grouped.items())]
    return "\n".join(lines) + "\n"


def compare(answers, tools, table, found):
    """Writes to `found` the table that the answers ({case: row}) want, and says where that of the page `table` is another. 0: nowhere."""
    known = table_in(pathlib.Path(table), tools)
    differing = {name: (row, known[name][1] if name in known and known[name][0] == row else "?")
                 for name, row in answers.items() if differ(row)}
    pathlib.Path(found).write_text(table_of(differing, tools))
    print(f"{len(answers)} cases, {len(differing)} answered differently")
    wrong = [name for name in sorted({*known, *differing}) if known.get(name) != differing.get(name)]
    for name in wrong:
        print(f"{name}: found {differing.get(name, 'no difference')}, the table has {known.get(name, 'nothing')}")
    return 1 if wrong else 0
