#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes of a DaemonSet what kubelet makes of it: the messages of CRI.

pod_of_manifest.py compare WRITTEN TYPED      every field as written is one that the API knows
pod_of_manifest.py fits MANIFEST              what its objects name of each other is there
pod_of_manifest.py daemonsets MANIFEST        only these
pod_of_manifest.py configmap MANIFEST FOLDER  the files of its ConfigMap
pod_of_manifest.py image MANIFEST CONTAINER   the name that the container's image is pulled by
pod_of_manifest.py sandbox MANIFEST UID       RunPodSandboxRequest
pod_of_manifest.py create MANIFEST UID CONTAINER POD-ID IMAGE-ID WHAT=VALUE...    CreateContainerRequest

Manifests are JSON, one document after another, as kubectl prints them; FILE#NAME is the DaemonSet of that name, by itself
FILE is crivet-node's. WHAT is a volume, and VALUE its path, or a field of the pod such as status.hostIP. The pod gets the
node's network: a cluster's own comes from its CNI plugins.
"""

import json
import pathlib
import sys


def documents(path):
    with open(path.partition("#")[0], encoding="utf-8") as file:
        text = file.read().lstrip()
    while text:
        document, end = json.JSONDecoder().raw_decode(text)
        yield document
        text = text[end:].lstrip()


def of_kind(path, kind, name=None):
    return next(d for d in documents(path) if d["kind"] == kind and name in (None, d["metadata"]["name"]))


def daemonset(path):
    return of_kind(path, "DaemonSet", path.partition("#")[2] or "crivet-node")


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


# What the others may have; of a ServiceMonitor what its definition (monitoring.coreos.com/v1) knows.
FIELDS = {
    "Namespace": {"metadata": {"name", "labels"}},
    "ConfigMap": {"metadata": {"name", "namespace"}, "data": None},
    "Service": {"metadata": {"name", "namespace", "labels", "annotations"}, "spec": {"clusterIP", "ports", "selector"}},
    "ServiceMonitor": {"metadata": {"name", "namespace", "labels"}, "spec": {"endpoints", "selector"}},
}
ENDPOINT = {"port", "path", "interval", "relabelings"}


def unknown(document):
    """Paths of fields that nobody knows, in what is no DaemonSet."""
    fields = FIELDS[document["kind"]]
    for part in set(document) - {"apiVersion", "kind"}:
        if part not in fields:
            yield f".{part}"
        elif fields[part] is not None:
            # kubectl leaves an empty one where it took a label away.
            yield from (f".{part}.{key}" for key, value in document[part].items() if value and key not in fields[part])


def misfits(manifest):
    """What one object names and no other has."""
    every = list(documents(manifest))
    of = {kind: [d for d in every if d["kind"] == kind] for kind in [*FIELDS, "DaemonSet"]}
    names = {(d["kind"], d["metadata"]["name"]) for d in every}
    for document in every:
        if document["kind"] != "Namespace" and ("Namespace", document["metadata"].get("namespace")) not in names:
            yield f"{document['metadata']['name']}: its namespace is not made"
    pods = []
    for one in of["DaemonSet"]:
        template = one["spec"]["template"]
        if one["spec"]["selector"]["matchLabels"] != template["metadata"]["labels"]:
            yield f"{one['metadata']['name']}: its selector and its labels differ"
        pods.append((template["metadata"]["labels"], template["spec"]))
        for volume in template["spec"].get("volumes", []):
            if "configMap" in volume and ("ConfigMap", volume["configMap"]["name"]) not in names:
                yield f"no ConfigMap {volume['configMap']['name']}"
        for container in template["spec"].get("initContainers", []) + template["spec"]["containers"]:
            if not container["image"].startswith("registry.acme.example/platform/crivet-node:"):
                yield f"{container['name']}: an image of nobody, {container['image']}"
    for service in of["Service"]:
        port = service["spec"]["ports"][0]
        if not any(labels == service["spec"]["selector"] and
                   {"name": port["targetPort"], "containerPort": port["port"]}.items() <= each.items()
                   for labels, spec in pods for c in spec["containers"] for each in c.get("ports", [])):
            yield f"no pod has the port of Service {service['metadata']['name']}"
        annotations = service["metadata"]["annotations"]
        for monitor in of["ServiceMonitor"]:
            [endpoint] = monitor["spec"]["endpoints"]
            if not monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items() or \
               endpoint["port"] != port["name"] or endpoint["path"] != annotations["prometheus.io/path"] or \
               str(port["port"]) != annotations["prometheus.io/port"] or not set(endpoint) <= ENDPOINT:
                yield f"ServiceMonitor {monitor['metadata']['name']} and its Service differ"


def pod(manifest):
    return daemonset(manifest)["spec"]["template"]["spec"]


def container_of(manifest, name):
    spec = pod(manifest)
    return next(c for c in spec.get("initContainers", []) + spec["containers"] if c["name"] == name)


def namespaces(manifest):
    return {"network": "NODE", "pid": "NODE" if pod(manifest).get("hostPID") else "POD"}


def sandbox(manifest, uid):
    meta = daemonset(manifest)["metadata"]
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


def security_of(container, manifest):
    wanted = container["securityContext"]
    security = {"privileged": wanted["privileged"], "namespaceOptions": namespaces(manifest)}
    if not wanted["privileged"]:
        assert wanted["runAsNonRoot"] and wanted["runAsUser"] > 0, wanted
        security |= {
            "runAsUser": {"value": wanted["runAsUser"]}, "runAsGroup": {"value": wanted["runAsGroup"]},
            "readonlyRootfs": wanted["readOnlyRootFilesystem"], "noNewPrivs": not wanted["allowPrivilegeEscalation"],
            "capabilities": {"dropCapabilities": wanted["capabilities"]["drop"]},
            "seccomp": {"profileType": wanted["seccompProfile"]["type"]},
        }
    return security


def create(manifest, uid, name, pod_id, image_id, values):
    container = container_of(manifest, name)
    given = dict(value.split("=", 1) for value in values)
    linux = {"securityContext": security_of(container, manifest)}
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
            "envs": [{"key": e["name"], "value": e.get("value") or given[e["valueFrom"]["fieldRef"]["fieldPath"]]}
                     for e in container.get("env", [])],
            "mounts": [
                {"containerPath": m["mountPath"], "hostPath": given[m["name"]], "readonly": m.get("readOnly", False)}
                for m in container.get("volumeMounts", [])
            ],
            "logPath": f"{name}.log",
            "labels": {"io.kubernetes.container.name": name},
            "linux": linux,
        },
    }


def main(command, *arguments):
    if command == "compare":
        written, typed = arguments
        lost = []
        for document in documents(written):
            if document["kind"] == "DaemonSet":
                same = of_kind(typed, "DaemonSet", document["metadata"]["name"])
                lost += missing(document, same, document["metadata"]["name"])
            else:
                lost += [document["kind"] + path for path in unknown(document)]
        if lost:
            sys.exit("\n".join(lost))
    elif command == "fits":
        if wrong := list(misfits(*arguments)):
            sys.exit("\n".join(wrong))
    elif command == "daemonsets":
        for document in documents(*arguments):
            if document["kind"] == "DaemonSet":
                print(json.dumps(document))
    elif command == "configmap":
        for name, text in of_kind(arguments[0], "ConfigMap")["data"].items():
            pathlib.Path(arguments[1], name).write_text(text, encoding="utf-8")
    elif command == "image":
        print(container_of(*arguments)["image"])
    elif command == "sandbox":
        print(json.dumps({"config": sandbox(*arguments)}))
    elif command == "create":
        print(json.dumps(create(*arguments[:5], arguments[5:])))
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
