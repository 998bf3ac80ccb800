# SPDX-License-Identifier: Apache-2.0
"""The rooms of trust/ and proxy/, as their includes tell of them. A room is a header with its source; its name is the path
without an ending.
"""

import re


def read_rooms(root):
    """Room -> the rooms that its header and its source include."""
    rooms = {}
    for top in ("trust", "proxy"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".h", ".cc") or path.name == "main.cc":
                continue
            name = str(path.relative_to(root).with_suffix(""))
            found = re.findall(r'^#include "((?:trust|proxy)/[^"]+)\.h"', path.read_text(), re.M)
            rooms.setdefault(name, set()).update(set(found) - {name})
    return rooms


def folder_of(room):
    return room.rpartition("/")[0]


def folders(rooms):
    """Folder -> the other folders that its rooms include."""
    graph = {folder_of(room): set() for room in rooms}
    for room, included in rooms.items():
        graph[folder_of(room)].update(folder_of(other) for other in included)
    for folder, included in graph.items():
        included.discard(folder)
    return graph


def knots(graph):
    """The strongly connected components of more than one node (Tarjan's algorithm, without recursion)."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []
    for start in graph:
        if start in index:
            continue
        work = [(start, iter(sorted(graph[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, edges = work[-1]
            for other in edges:
                if other not in graph:
                    continue
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    knot = set()
                    while node not in knot:
                        knot.add(stack.pop())
                    on_stack -= knot
                    if len(knot) > 1:
                        found.append(knot)
    return found


def reach(graph, start):
    """Every node that can be come to from `start` by at least one edge."""
    seen, work = set(), list(graph.get(start, ()))
    while work:
        node = work.pop()
        if node not in seen:
            seen.add(node)
            work.extend(graph.get(node, ()))
    return seen


def without_shortcuts(graph):
    """The edges (a, b) that no longer way from a to b tells of already; those of a loop, and those into it, all stay."""
    beyond = {node: reach(graph, node) for node in graph}

    def stands_between(a, middle, b):
        return b in beyond[middle] and a not in beyond[middle] and middle not in beyond[b]

    return {
        (a, b)
        for a, others in graph.items()
        for b in others
        if a in beyond[b] or not any(stands_between(a, middle, b) for middle in others if middle != b)
    }
