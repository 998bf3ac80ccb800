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
IO = ["trust/io/http", "trust/io/registry", "trust/io/store", "trust/io/service"]
MAY_INCLUDE = {
    "trust/base": [],
    "trust/signed": ["trust/base"],
    "trust/toml": ["trust/base"],
    "trust/decide": ["trust/base", "trust/signed"],
    "trust/tuf": PURE,
    "trust/notary": PURE + ["trust/tuf"],
    "trust/tuf1": PURE + ["trust/tuf"],
    "trust/oci": PURE,
    "trust/registry_bound": PURE + ["trust/oci"],
    "trust/sigstore": PURE + ["trust/oci", "trust/registry_bound"],
    "trust/notation": PURE + ["trust/oci", "trust/registry_bound"],
    "trust/io/http": PURE,
    "trust/io/registry": PURE + ["trust/toml", "trust/oci", "trust/io/http"],
    "trust/io/store": PURE,
    "trust/io/service": PURE + ["trust/io/http", "trust/io/registry", "trust/io/store"],
    "trust": PURE + ["trust/tuf", "trust/notary", "trust/tuf1", "trust/oci", "trust/sigstore", "trust/notation"],
    "proxy": ["trust/base"],
    "proxy/road": ["trust/base", "proxy"],
    "proxy/config": PURE + IO + ["trust", "trust/toml", "proxy", "proxy/road"],
    "proxy/runtime": PURE + IO + ["proxy"],
    "proxy/watch": PURE + IO + ["proxy", "proxy/road", "proxy/config"],
    "proxy/gate": PURE + IO + ["proxy", "proxy/road", "proxy/config", "proxy/runtime", "proxy/watch"],
    "proxy/verifier": PURE + IO + ["trust", "trust/toml", "proxy", "proxy/road", "proxy/config", "proxy/runtime"],
    "proxy/takeover": PURE + ["trust/toml", "proxy", "proxy/road", "proxy/config", "proxy/runtime", "proxy/gate"],
}
MAY_INCLUDE["proxy/daemon"] = [folder for folder in MAY_INCLUDE if folder not in ("proxy/takeover", "proxy/verifier")]
MAY_INCLUDE["proxy/cli"] = list(MAY_INCLUDE)


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
    wrong = []
    for room, included in sorted(rooms.items()):
        folder = house.folder_of(room)
        if folder not in MAY_INCLUDE:
            wrong.append(f"{folder} is not in this test's table")
            continue
        for other in sorted(included):
            below = house.folder_of(other)
            if below != folder and below not in MAY_INCLUDE[folder]:
                wrong.append(f"{room} includes {other}: {below} is not below {folder}")
    order = {folder: set(below) for folder, below in MAY_INCLUDE.items()}
    wrong += [f"the table itself has a loop: {' '.join(sorted(knot))}" for knot in house.knots(order)]
    return wrong


def loops(rooms):
    return ["these include each other in a loop: " + " ".join(sorted(knot)) for knot in house.knots(rooms)]


def crowds(rooms):
    count = {}
    for room in rooms:
        folder = house.folder_of(room)
        count[folder] = count.get(folder, 0) + 1
    crowded = sorted(folder for folder, number in count.items() if number > MOST_ROOMS)
    return [f"{folder} holds {count[folder]} rooms, more than {MOST_ROOMS}" for folder in crowded]


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
