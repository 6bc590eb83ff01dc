"""What a cluster has, as sorted lines: one for every object, whatever its kind. Called by `snapshot`.

kubectl only reads the kubeconfig; the objects come from the API itself, every kind that its discovery says can be listed.
"""
import argparse
import atexit
import base64
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# Written all the time by the cluster itself, and gone by themselves.
RESTLESS = {"events", "componentstatuses"}


class Api:
    """The API server of a kubeconfig's context, over one connection."""

    def __init__(self, kubectl, kubeconfig, context):
        command = [kubectl, "config", "view", "--raw", "--minify", "--flatten", "-o", "json"]
        command += ["--kubeconfig", kubeconfig] if kubeconfig else []
        command += ["--context", context] if context else []
        config = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        url = urllib.parse.urlsplit(cluster["server"])
        tls = ssl.create_default_context()
        if "certificate-authority-data" in cluster:
            tls.load_verify_locations(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        if "client-certificate-data" in user:
            work = tempfile.mkdtemp()  # mode 0700
            atexit.register(shutil.rmtree, work)
            pair = os.path.join(work, "client.pem")
            with open(pair, "wb") as out:
                out.write(base64.b64decode(user["client-certificate-data"]) + b"\n")
                out.write(base64.b64decode(user["client-key-data"]))
            tls.load_cert_chain(pair)
        self.headers = {"Authorization": "Bearer " + user["token"]} if "token" in user else {}
        self.base = url.path.rstrip("/")
        if url.scheme == "https":
            self.connection = http.client.HTTPSConnection(url.hostname, url.port or 443, timeout=60, context=tls)
        else:
            self.connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=60)

    def get(self, path, accept="application/json"):
        """The body, or None where there is none: a group whose definition or server went away meanwhile."""
        self.connection.request("GET", self.base + path, headers={**self.headers, "Accept": accept})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status in (404, 405, 503):
            return None
        if answer.status != 200:
            sys.exit(f"error: GET {path}: {answer.status} {body[:200].decode(errors='replace')}")
        return json.loads(body)

    def kinds(self):
        """(path of the list, name with its group) of every kind that can be listed."""
        roots = [("", "/api/v1")]
        for group in self.get("/apis")["groups"]:
            roots.append(("." + group["name"], "/apis/" + group["preferredVersion"]["groupVersion"]))
        for group, root in roots:
            found = self.get(root)
            if found is None:
                print(f"unavailable: {root}", file=sys.stderr)
                continue
            for kind in found["resources"]:
                if "/" not in kind["name"] and "list" in kind.get("verbs", []) and kind["name"] not in RESTLESS:
                    yield f"{root}/{kind['name']}", kind["name"] + group


def pairs(found):
    return ",".join(f"{name}={value}" for name, value in sorted((found or {}).items()))


def line(name, item):
    """Name and what a run may have changed on it."""
    meta = item["metadata"]
    parts = ["/".join(part for part in (name, meta.get("namespace"), meta["name"]) if part)]
    if "deletionTimestamp" in meta:
        parts.append("terminating")
    if name == "namespaces":
        parts.append(pairs(meta.get("labels")))
    if name == "nodes":
        spec = item.get("spec", {})
        taints = sorted(f"{t['key']}={t.get('value', '')}:{t['effect']}" for t in spec.get("taints", []))
        parts += [pairs(meta.get("labels")), "taints:" + ",".join(taints), f"unschedulable:{spec.get('unschedulable', False)}"]
        parts.append("capacity:" + ",".join(sorted(item.get("status", {}).get("capacity", {}))))
    return " ".join(part for part in parts if part)


def snapshot(api):
    lines = set()
    for path, name in api.kinds():
        found = api.get(path, "application/json" if name == "nodes" else METADATA + ",application/json")
        lines.update(line(name, item) for item in (found or {}).get("items") or [])
    return sorted(lines)


def main():
    options = argparse.ArgumentParser(prog="snapshot", description=__doc__.splitlines()[0])
    options.add_argument("kubeconfig", nargs="?", help="default: as kubectl finds it")
    options.add_argument("--context")
    options.add_argument("--settle", type=float, default=0, metavar="SECONDS", help="wait so long at most until nothing is being deleted")
    options.add_argument("--kubectl", default="kubectl")
    given = options.parse_args()
    until = time.monotonic() + given.settle
    api = Api(given.kubectl, given.kubeconfig, given.context)
    lines = snapshot(api)
    while time.monotonic() < until and any(" terminating" in text for text in lines):
        time.sleep(1)
        lines = snapshot(api)
    print("\n".join(lines))


main()
