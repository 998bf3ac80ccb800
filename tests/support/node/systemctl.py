#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""As much of systemctl as `crivet check`, `takeover` and `release` use, for units of containerd.service that a test writes
into /etc/systemd/system: what it starts gets the words, the environment and nothing else, as systemd makes them. A machine
that systemd really runs is drop_in.sh's; booting one for each installer's unit would take minutes."""
import glob, os, re, shlex, signal, subprocess, sys, time

UNITS = "/etc/systemd/system"
NODE = os.environ["node_dir"]
KEPT = {name: os.environ[name] for name in ("PATH", "node_dir") if name in os.environ}


def drop_ins(unit):
    return sorted(glob.glob(f"{UNITS}/{unit}.d/*.conf"), key=os.path.basename)


def settings(unit):
    """Every setting as a list; an empty one forgets those before."""
    found = {}
    for path in [f"{UNITS}/{unit}"] + drop_ins(unit):
        if not os.path.exists(path):
            continue
        for line in open(path).read().replace("\\\n", " ").splitlines():
            key, equals, value = line.strip().partition("=")
            if not equals or key.startswith("#"):
                continue
            if value:
                found.setdefault(key, []).append(value)
            else:
                found[key] = []
    return found


def words_of(unit):
    return [word.replace("%%", "%") for word in shlex.split(settings(unit)["ExecStart"][-1])]


def environment_of(unit):
    found, environment = settings(unit), dict(KEPT)
    for line in found.get("Environment", []):
        environment.update(word.split("=", 1) for word in shlex.split(line))
    for path in found.get("EnvironmentFile", []):
        if path.startswith("-") and not os.path.exists(path[1:]):
            continue
        for line in open(path.lstrip("-")).read().splitlines():
            if "=" in line and not line.startswith("#"):
                key, value = line.split("=", 1)
                environment[key] = shlex.split(value)[0] if value[:1] in "\"'" and value else value
    return environment


def expanded(unit):
    environment, words = environment_of(unit), []
    for word in words_of(unit):
        if re.fullmatch(r"\$\w+", word):
            words += environment.get(word[1:], "").split()
        else:
            words.append(re.sub(r"\$\{(\w+)\}|\$\$", lambda m: environment.get(m[1], "") if m[1] else "$", word))
    return words


def pid_file(unit):
    return f"{NODE}/pid/{unit.split('.')[0]}"


def main_pid(unit):
    try:
        pid = int(open(pid_file(unit)).read())
        os.kill(pid, 0)
        return pid
    except (OSError, ValueError):
        return 0


def start(unit, words, environment):
    log = open(f"{NODE}/log/{unit.split('.')[0]}.log", "a")
    process = subprocess.Popen(words, env=environment, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log,
                               stderr=log, cwd="/")
    open(pid_file(unit), "w").write(str(process.pid))


def stop(unit):
    pid = main_pid(unit)
    if pid:
        os.kill(pid, signal.SIGTERM)
    for _ in range(200):
        if not main_pid(unit) or "\nState:\tZ" in open(f"/proc/{pid}/status").read():
            break
        time.sleep(0.05)
    if os.path.exists(pid_file(unit)):
        os.remove(pid_file(unit))


def show(unit, names):
    exists = os.path.exists(f"{UNITS}/{unit}")
    for name in names:
        if name == "LoadState":
            print("LoadState=" + ("loaded" if exists else "not-found"))
        elif name == "MainPID":
            print(f"MainPID={main_pid(unit)}")
        elif name in ("ExecStart", "ExecStartEx") and settings(unit).get("ExecStart"):
            words = words_of(unit)
            middle = "ignore_errors=no" if name == "ExecStart" else "flags="
            print(f"{name}={{ path={words[0]} ; argv[]={' '.join(words)} ; {middle} ; start_time=[n/a] ; stop_time=[n/a] ; "
                  "pid=0 ; code=(null) ; status=0/0 }")
        elif name == "Listen":
            for path in settings(unit).get("ListenStream", []):
                print(f"Listen={path} (Stream)")
        elif name == "DropInPaths":
            print("DropInPaths=" + " ".join(drop_ins(unit)))


def main():
    verb, units = sys.argv[1], [word for word in sys.argv[2:] if not word.startswith("-")]
    if verb == "show":
        names = [word.split("=", 1)[1] for word in sys.argv if word.startswith("--property=")]
        show(units[0], names[0].split(","))
    elif verb in ("is-active", "is-enabled"):
        sys.exit(3)
    elif verb == "stop":
        for unit in units:
            stop(unit)
    elif verb == "restart":
        stop(units[0])
        start(units[0], expanded(units[0]), environment_of(units[0]))
    elif verb == "start" and "crivet.service" in units:
        listen = settings("crivet.socket").get("ListenStream")
        if listen:
            start("crivet.service", ["systemd-socket-activate", "-l", listen[-1]] + words_of("crivet.service"), KEPT)


main()
