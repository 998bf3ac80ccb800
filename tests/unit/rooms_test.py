#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rooms of trust/ and proxy/ keep their order: no room includes its way back to itself, no folder includes one that stands
above it, and a folder holds at most 25 rooms. The picture of the folders shows what is there.

rooms_test.py SOURCE_DIR
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))
import rooms as house  # noqa: E402

MOST_ROOMS = 25

# Each folder, and the folders that it may include. What is not named here may not be.
PURE = ["trust/base", "trust/signed", "trust/decide"]
IO = ["trust/io/http", "trust/io/store", "trust/io/service"]
MAY_INCLUDE = {
    "trust/base": [],
    "trust/signed": ["trust/base"],
    "trust/decide": ["trust/base", "trust/signed"],
    "trust/tuf": PURE,
    "trust/notary": PURE + ["trust/tuf"],
    "trust/oci": PURE,
    "trust/sigstore": PURE + ["trust/oci"],
    "trust/notation": PURE + ["trust/oci"],
    "trust/io/http": PURE,
    "trust/io/store": PURE,
    "trust/io/service": PURE + ["trust/io/http", "trust/io/store"],
    "trust": PURE + ["trust/tuf", "trust/notary", "trust/oci", "trust/sigstore", "trust/notation"],
    "proxy": ["trust/base"],
    "proxy/road": ["trust/base", "proxy"],
    "proxy/config": PURE + IO + ["proxy", "proxy/road"],
    "proxy/runtime": PURE + IO + ["proxy"],
    "proxy/watch": PURE + IO + ["proxy", "proxy/road", "proxy/config"],
    "proxy/gate": PURE + IO + ["proxy", "proxy/road", "proxy/config", "proxy/runtime", "proxy/watch"],
    "proxy/takeover": PURE + ["proxy", "proxy/road", "proxy/config", "proxy/runtime", "proxy/gate"],
}
MAY_INCLUDE["proxy/daemon"] = [folder for folder in MAY_INCLUDE if folder != "proxy/takeover"]
MAY_INCLUDE["proxy/cli"] = list(MAY_INCLUDE)

# What is still to be mended. An entry that is mended fails this test until it is taken out.
KNOWN_EDGES = {
    ("trust/decide", "trust/notary"),
    ("trust/decide", "trust/tuf"),
    ("trust/io/http", "trust/notary"),
    ("trust/io/service", "trust/notary"),
    ("trust/io/service", "trust/tuf"),
    ("trust/io/store", "trust/notary"),
    ("trust/signed", "trust/tuf"),
    ("trust/tuf", "trust/notary"),
}
KNOWN_KNOTS = [
    {
        "trust/decide/record",
        "trust/decide/withdrawn",
    },
    {
        "trust/io/service/inquiry",
        "trust/io/service/refresh_runner",
        "trust/io/service/repository_slot",
        "trust/io/service/repository_table",
        "trust/io/service/service_engine",
        "trust/io/service/service_journal",
        "trust/io/service/trust_service",
    },
    {
        "trust/notary/read_files",
        "trust/notary/refresh",
        "trust/notary/refresh_state",
        "trust/tuf/root_walk",
    },
    {
        "trust/notary/repository",
        "trust/notary/repository_parts",
        "trust/notary/targets",
        "trust/signed/envelope",
        "trust/signed/signature_threshold",
        "trust/tuf/age",
        "trust/tuf/entry_fault",
        "trust/tuf/metadata",
        "trust/tuf/metadata_reader",
        "trust/tuf/root_chain",
    },
]
KNOWN_CROWDED = set()


def main(root):
    rooms = house.read_rooms(root)
    wrong = [f"only {len(rooms)} rooms found"] if len(rooms) < 150 else []
    wrong += edges_against_the_order(rooms)
    wrong += loops(rooms)
    wrong += crowds(rooms)
    wrong += picture_out_of_step(root, rooms)
    print("\n".join(wrong) if wrong else f"{len(rooms)} rooms in {len(house.folders(rooms))} folders, all in order")
    return 1 if wrong else 0


def edges_against_the_order(rooms):
    wrong, seen = [], set()
    for room, included in sorted(rooms.items()):
        folder = house.folder_of(room)
        if folder not in MAY_INCLUDE:
            wrong.append(f"{folder} is not in this test's table")
            continue
        for other in sorted(included):
            edge = (folder, house.folder_of(other))
            if edge[1] == folder or edge[1] in MAY_INCLUDE[folder]:
                continue
            seen.add(edge)
            if edge not in KNOWN_EDGES:
                wrong.append(f"{room} includes {other}: {edge[1]} is not below {folder}")
    wrong += [f"{a} includes {b} no more: take it out of KNOWN_EDGES" for a, b in sorted(KNOWN_EDGES - seen)]
    order = {folder: set(below) for folder, below in MAY_INCLUDE.items()}
    wrong += [f"the table itself has a loop: {' '.join(sorted(knot))}" for knot in house.knots(order)]
    return wrong


def loops(rooms):
    found = house.knots(rooms)
    wrong = [
        "these include each other in a loop: " + " ".join(sorted(knot))
        for knot in found
        if not any(knot <= known for known in KNOWN_KNOTS)
    ]
    wrong += [
        "untied, take it out of KNOWN_KNOTS: " + " ".join(sorted(known))
        for known in KNOWN_KNOTS
        if not any(knot <= known for knot in found)
    ]
    return wrong


def crowds(rooms):
    count = {}
    for room in rooms:
        folder = house.folder_of(room)
        count[folder] = count.get(folder, 0) + 1
    crowded = {folder for folder, number in count.items() if number > MOST_ROOMS}
    wrong = [f"{folder} holds {count[folder]} rooms, more than {MOST_ROOMS}" for folder in sorted(crowded - KNOWN_CROWDED)]
    wrong += [f"{folder} is no longer crowded: take it out of KNOWN_CROWDED" for folder in sorted(KNOWN_CROWDED - crowded)]
    return wrong


def picture_out_of_step(root, rooms):
    """Graphviz writes each edge of a picture as a title, `a->b`."""
    picture = root / "proxy" / "rooms.svg"
    drawn = set(re.findall(r"<title>([\w/]+)&#45;&gt;([\w/]+)</title>", picture.read_text()))
    there = house.without_shortcuts(house.folders(rooms))
    wrong = [f"{picture} does not show that {a} includes {b}" for a, b in sorted(there - drawn)]
    wrong += [f"{picture} shows that {a} includes {b}, which is not so" for a, b in sorted(drawn - there)]
    return wrong + ["run tests/draw_rooms"] if wrong else []


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
