#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes of a DaemonSet what kubelet makes of it: the messages of CRI.

pod_of_manifest.py compare WRITTEN TYPED      every field as written is one that the API knows
pod_of_manifest.py configmap MANIFEST KEY     a ConfigMap's text
pod_of_manifest.py image MANIFEST CONTAINER   the name that the container's image is pulled by
pod_of_manifest.py sandbox MANIFEST UID       RunPodSandboxRequest
pod_of_manifest.py create MANIFEST UID CONTAINER POD-ID IMAGE-ID VOLUME=PATH...    CreateContainerRequest

Manifests are JSON, one document after another, as kubectl prints them. The pod gets the node's network: a cluster's own
comes from its CNI plugins.
"""

import json
import sys


def documents(path):
    with open(path, encoding="utf-8") as file:
        text = file.read().lstrip()
    while text:
        document, end = json.JSONDecoder().raw_decode(text)
        yield document
        text = text[end:].lstrip()


def of_kind(path, kind):
    return next(d for d in documents(path) if d["kind"] == kind)


def missing(written, typed, where=""):
    """Paths of what is written and that the typed form has lost: a field that the API does not know."""
    if isinstance(written, dict):
        for key, value in written.items():
            if value in ({}, []):  # kubectl leaves one where it took a label away
                continue
            if not isinstance(typed, dict) or key not in typed:
                yield f"{where}.{key}"
            else:
                yield from missing(value, typed[key], f"{where}.{key}")
    elif isinstance(written, list):
        if not isinstance(typed, list) or len(typed) != len(written):
            yield where
        else:
            for index, value in enumerate(written):
                yield from missing(value, typed[index], f"{where}[{index}]")
    elif str(written) != str(typed):
        yield f"{where}: {written!r} became {typed!r}"


def pod(manifest):
    return of_kind(manifest, "DaemonSet")["spec"]["template"]["spec"]


def container_of(manifest, name):
    spec = pod(manifest)
    return next(c for c in spec["initContainers"] + spec["containers"] if c["name"] == name)


def namespaces(manifest):
    return {"network": "NODE", "pid": "NODE" if pod(manifest).get("hostPID") else "POD"}


def sandbox(manifest, uid):
    meta = of_kind(manifest, "DaemonSet")["metadata"]
    spec = pod(manifest)
    return {
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": uid},
        "logDirectory": f"/var/log/pods/{meta['namespace']}_{meta['name']}_{uid}",
        "dnsConfig": {"servers": ["127.0.0.1"]},
        "labels": {"io.kubernetes.pod.name": meta["name"], "io.kubernetes.pod.namespace": meta["namespace"]},
        "linux": {
            "cgroupParent": "/pods",
            "securityContext": {
                "namespaceOptions": namespaces(manifest),
                "privileged": any(c["securityContext"]["privileged"] for c in spec["containers"]),
            },
        },
    }


def create(manifest, uid, name, pod_id, image_id, volumes):
    container = container_of(manifest, name)
    paths = dict(volume.split("=", 1) for volume in volumes)
    linux = {"securityContext": {"privileged": container["securityContext"]["privileged"],
                                 "namespaceOptions": namespaces(manifest)}}
    limit = container.get("resources", {}).get("limits", {}).get("memory")
    if limit:
        assert limit.endswith("Mi"), limit
        linux["resources"] = {"memoryLimitInBytes": int(limit[:-2]) * 1024 * 1024}
    return {
        "podSandboxId": pod_id,
        "sandboxConfig": sandbox(manifest, uid),
        "config": {
            "metadata": {"name": name},
            "image": {"image": image_id, "userSpecifiedImage": container["image"]},
            "command": container["command"],
            "envs": [{"key": e["name"], "value": e["value"]} for e in container.get("env", [])],
            "mounts": [
                {"containerPath": m["mountPath"], "hostPath": paths[m["name"]], "readonly": m.get("readOnly", False)}
                for m in container["volumeMounts"]
            ],
            "logPath": f"{name}.log",
            "labels": {"io.kubernetes.container.name": name},
            "linux": linux,
        },
    }


def main(command, *arguments):
    if command == "compare":
        written, typed = arguments
        lost = list(missing(of_kind(written, "DaemonSet"), of_kind(typed, "DaemonSet")))
        for other in documents(written):
            if other["kind"] != "DaemonSet":
                lost += sorted(set(other) - {"apiVersion", "kind", "metadata", "data"})
                lost += sorted(set(other["metadata"]) - {"name", "namespace", "labels"})
        if lost:
            sys.exit("\n".join(lost))
    elif command == "configmap":
        print(of_kind(arguments[0], "ConfigMap")["data"][arguments[1]], end="")
    elif command == "image":
        print(container_of(*arguments)["image"])
    elif command == "sandbox":
        print(json.dumps({"config": sandbox(*arguments)}))
    elif command == "create":
        print(json.dumps(create(*arguments[:5], arguments[5:])))
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
