# SPDX-License-Identifier: Apache-2.0
"""containerd_calls.py quick|full CONTAINERD CRIVET FOLDER: small calls to a real runtime, directly
and through everybody; a line of JSON on stdout. Run by node.sh on its node."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from measure import contenders as who  # noqa: E402
from measure import road  # noqa: E402

CASES = {
    "Version, 1 in flight": ["--bytes", 0, "--method", "/runtime.v1.RuntimeService/Version"],
    "ListImages, 8 in flight": ["--bytes", 0, "--method", "/runtime.v1.ImageService/ListImages",
                                "--in-flight", 8],
}


def main():
    mode, containerd, crivet, folder = sys.argv[1:]
    rounds, seconds = (2, 0.4) if mode == "quick" else (5, 0.8)
    with who.standing(pathlib.Path(folder) / "calls", containerd) as standing:
        # The daemon that serves the node, not the one that knows no image.
        standing = [who.Contender(one.name, pathlib.Path(crivet)) if one.name == who.CRIVET else one
                    for one in standing]
        print(json.dumps(road.interleaved(standing, CASES, rounds, seconds)))


if __name__ == "__main__":
    main()
