# SPDX-License-Identifier: Apache-2.0
"""What was wanted, and whether it was reached. Ratios are of the same round, medians over rounds."""

import statistics

from . import contenders as who

PEERS = (who.HAPROXY, who.NGINX, who.GO)


def ratio(records, case, field, name, to=who.DIRECT):
    """The median over the rounds of a contender's figure by another's; None if one did not run."""
    def by_round(one):
        return {record["round"]: record[field] for record in records
                if record["case"] == case and record["who"] == one}
    mine, other = by_round(name), by_round(to)
    values = [mine[number] / other[number] for number in mine if other.get(number)]
    return statistics.median(values) if values else None


def _to_relay(records, case, field, name):
    return ratio(records, case, field, name, who.RELAY)


def figure(records, case, field, name):
    values = [record[field] for record in records
              if record["case"] == case and record["who"] == name]
    return statistics.median(values) if values else None


def _show(value, digits):
    return "" if value is None else f"{value:.{digits}f}"


def _goal(what, limit, reached, peers=(None, None, None), digits=2, more_is_better=False, text=None):
    """A row. `text` says what is wanted where it is not simply a limit."""
    if reached is None:
        return None
    good = reached >= limit if more_is_better else reached <= limit
    wanted = text or f"{'>=' if more_is_better else '<='} {limit:g}"
    return [what, wanted, _show(reached, digits), "yes" if good else "**no**",
            *(_show(peer, digits) for peer in peers)]


def _road(calls):
    def row(what, limit, case, field, of=ratio, **options):
        if not any(record["case"] == case for record in calls):
            return None
        return _goal(what, limit, of(calls, case, field, who.ROAD),
                     [of(calls, case, field, peer) for peer in PEERS], **options)

    eight = "100 B, 8 in flight"
    peers_p99 = [figure(calls, eight, "p99_us", peer) for peer in PEERS]
    present = [value for value in peers_p99[:1] if value is not None]
    to_relay = [
        row(f"{what} at {number} in flight, of the byte relay", limit, f"100 B, {number} in flight",
            field, of=_to_relay, **options)
        for number in (1, 8, 64)
        for what, limit, field, options in (
            ("p50", 1.05, "p50_us", {}),
            ("calls a second", 0.95, "calls_per_second", {"more_is_better": True}))]
    return [
        *to_relay,
        row("p50, 100 B, 1 in flight, x direct", 1.85, "100 B, 1 in flight", "p50_us"),
        row("calls a second at 64 in flight, of direct", 0.60, "100 B, 64 in flight",
            "calls_per_second", more_is_better=True),
        row("CPU us a call at 64 in flight", 12, "100 B, 64 in flight", "cpu_us_per_call",
            of=figure, digits=1),
        row("1 MB each way, x direct", 1.6, "1 MB, 1 in flight", "p50_us"),
        row("8 MB each way, x direct", 1.7, "8 MB, 1 in flight", "p50_us"),
        _goal("p99 at 8 in flight, us", present[0], figure(calls, eight, "p99_us", who.ROAD),
              peers_p99, digits=0, text="<= HAProxy's") if present else None,
    ]


def _memory(memory):
    def mib(name, when):
        return memory[name][when]["rss"] / 1024 if when in memory.get(name, {}) else None

    def grown(name):
        after = mib(name, "after 4 x 16 MB")
        return None if after is None else after - mib(name, "idle")

    def wake_ups(name):
        return memory[name]["wake_ups_per_second"] if name in memory else None

    return [
        _goal("idle RSS of the road alone, MiB", 4, mib(who.ROAD, "idle"),
              [mib(peer, "idle") for peer in PEERS], digits=1),
        _goal("idle RSS of the daemon, MiB", 20, mib(who.CRIVET, "idle"), digits=1),
        _goal("RSS of the road after 4 x 16 MB at once, MiB above idle", 4, grown(who.ROAD),
              [grown(peer) for peer in PEERS], digits=1),
        _goal("wake-ups a second of the idle road", 0, wake_ups(who.ROAD),
              [wake_ups(peer) for peer in PEERS], digits=1),
    ]


def _daemon(daemon):
    nothing, hundred, thousand = daemon["0"], daemon.get("100"), daemon.get("1000")
    rows = [
        _goal("start to first answered call, nothing cached, ms", 15,
              nothing["first answer ms median"], digits=1),
        _goal("PullImage refused by a rule, p50 ms", 0.6,
              nothing["refused by a rule"]["p50_us"] / 1000),
    ]
    if hundred:
        rows += [
            _goal("start to first answered call, 100 repositories, ms", 30,
                  hundred["first answer ms median"], digits=1),
            _goal("PullImage refused, tag not signed, p50 ms", 0.6,
                  hundred["refused: not signed"]["p50_us"] / 1000),
            _goal("idle RSS, 100 repositories of 100 tags, MiB", 20,
                  hundred["idle"]["rss"] / 1024, digits=1),
        ]
    if thousand:
        rows.append(_goal("idle RSS, 1 000 repositories of 100 tags, MiB", 28,
                          thousand["idle"]["rss"] / 1024, digits=1))
    if "instructions of a start" in daemon:
        rows.append(_goal("instructions of a start, millions", 25, daemon["instructions of a start"] / 1e6,
                          digits=1))
    return rows


def _slowest_decision_us(trust):
    return max((run["p99_ns"] / 1000 for run in trust["decide"]
                if "p99_ns" in run and run.get("threads", 1) == 1), default=None)


def _trust(trust):
    def of_tags(runs, tags, field="real_time"):
        return next((run[field] for run in runs if run["name"].split("/")[1] == str(tags)), None)

    def load(tags):
        return of_tags(trust["load"], tags)

    def by_hashing(tags):
        mine, floor = (of_tags(trust.get(part, []), tags, "cpu_time") for part in ("load", "hashed twice"))
        return mine / floor if mine and floor else None

    def of(part, name, field="cpu_time"):
        return next((run[field] for run in trust.get(part, []) if run["name"] == name), None)

    def tuf(name):
        return of("tuf", name)

    def thousandth(figure):
        return None if figure is None else figure / 1000

    return [
        _goal("decision on a warm tag, p99 us, one thread", 2, _slowest_decision_us(trust)),
        _goal("first verified load, 10 000 tags, ms", 5, load(10_000)),
        _goal("first verified load, 100 000 tags, ms", 50, load(100_000), digits=1),
        _goal("first verified load, 10 000 tags, of hashing its bytes twice", 2, by_hashing(10_000)),
        _goal("first verified load, 100 000 tags, of hashing its bytes twice", 2, by_hashing(100_000)),
        _goal("bytes a tag in memory, 100 000 tags", 200, next(
            (run["bytes/tag"] for run in trust["load"] if run["name"].split("/")[1] == "100000"),
            None), digits=0),
        _goal("requests of a refresh with nothing new", 1, trust["refresh"][0]["requests"],
              digits=0),
        _goal("TUF 1.0, a first name of 100 000 in 2^10 bins, CPU ms", 5, tuf("ColdLookup/100000/10")),
        _goal("TUF 1.0, the same, a refresh with nothing new, CPU ms", 1,
              tuf("RefreshWhenNothingChanged/100000/10")),
        _goal("TUF 1.0, a first name of 10 000 in one file, CPU ms", 8, tuf("ColdLookup/10000/0")),
        _goal("cosign, a key's signature that is new, CPU ms", 1, thousandth(of("sigstore", "Cold/0"))),
        _goal("cosign, a keyless one that is new, CPU ms", 6, thousandth(of("sigstore", "Cold/2"))),
        _goal("cosign, a decision by one of 1 000 kept signatures, p99 us", 2,
              thousandth(of("sigstore", "DecisionFromKept/1000", "p99_ns"))),
    ]


def _node(node):
    def median(name):
        return statistics.median(node[name]) if name in node else None

    direct = median("pull direct")
    warm = median("pull crivet, warm")
    rows = [_goal("a real pull through crivet, warm, x direct", 1.01,
                  warm / direct if warm and direct else None, digits=3)]
    calls = node.get("calls to containerd", [[]])[0]
    if calls:
        case = "Version, 1 in flight"
        rows.append(_goal("real containerd, Version, 1 in flight, x direct", 1.5,
                          ratio(calls, case, "p50_us", who.ROAD),
                          [ratio(calls, case, "p50_us", peer) for peer in PEERS]))
    return rows


def rows(found):
    """The table of goals; parts that did not run have no rows."""
    made = []
    if found.get("road"):
        made += _road(found["road"]["calls"]) + _memory(found["road"]["memory"])
    for name, part in (("daemon", _daemon), ("trust", _trust), ("node", _node)):
        if found.get(name):
            made += part(found[name])
    lookups = (found.get("node") or {}).get("notary lookup, 10000 tags, CPU")
    if lookups and found.get("trust"):
        made.append(_goal("decision p99, of the CPU of `notary lookup`: one of", 10_000,
                          statistics.median(lookups) * 1000 / _slowest_decision_us(found["trust"]), digits=0,
                          more_is_better=True, text="10000 or more"))
    return [row for row in made if row]


def fleet(node):
    """A thousand nodes of 20 repositories each, refreshed every 5 minutes, at one server."""
    if "loopback bytes a refresh" not in node:
        return None
    refreshes = 1000 * 20 * 12
    size, cpu = node["loopback bytes a refresh"][0], node["notary server's CPU us a refresh"][0]
    return (f"A thousand nodes with 20 repositories in use, refreshed every 5 minutes, are {refreshes} "
            f"refreshes an hour at the Notary server: as many requests, {refreshes * size / 1e6:.0f} MB "
            f"with TCP and TLS both ways, {refreshes * cpu / 36e8 * 100:.1f}% of one CPU.")
