"""Checks the manifests without a cluster: validate.py KUBECTL. Called by validate.sh."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

# The oldest that the overlays are for, and a current one.
VERSIONS = ["1.30", "1.37"]
# The proof's node is a 1.20; the oldest schemas there are come near enough.
PROOF = ["1.25"]
WORKFLOW = "openapi/workflows/shadowserver.yaml"
PART = "app.kubernetes.io/part-of"
NAME = "app.kubernetes.io/name"

# What has no schema in Kubernetes: kind → (required, allowed) members of spec.
FOREIGN = {
    "ServiceMonitor": ({"selector", "endpoints"}, {"jobLabel", "selector", "endpoints", "namespaceSelector", "targetLabels"}),
    "ScaledObject": (
        {"scaleTargetRef", "triggers"},
        {"scaleTargetRef", "triggers", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "advanced"},
    ),
    "TriggerAuthentication": ({"secretTargetRef"}, {"secretTargetRef"}),
}

problems = []


def note(overlay, place, message):
    problems.append(f"error: {overlay}: {place}: {message}")


def render(kubectl, folder):
    command = [kubectl, "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {folder.name} cannot be rendered: {done.stderr.strip()}")
    if "Warning" in done.stderr:
        sys.exit(f"error: {folder.name}: {done.stderr.strip()}")
    return [one for one in yaml.safe_load_all(done.stdout) if one]


class Overlay:
    """The objects of one overlay."""

    def __init__(self, name, objects):
        self.name, self.objects = name, objects
        self.is_proof = name == "proof"
        self.versions = PROOF if self.is_proof else VERSIONS

    def of(self, *kinds):
        return [one for one in self.objects if one["kind"] in kinds]

    def find(self, kind, name):
        return next((one for one in self.of(kind) if one["metadata"]["name"] == name), None)

    def note(self, one, message):
        note(self.name, one if isinstance(one, str) else f"{one['kind']}/{one['metadata']['name']}", message)

    def pods(self):
        """Every object that makes pods, with its template."""
        for one in self.of("Deployment", "StatefulSet"):
            yield one, one["spec"]["template"]
        for one in self.of("CronJob"):
            yield one, one["spec"]["jobTemplate"]["spec"]["template"]


def selects(selector, labels):
    if selector.get("matchExpressions"):
        raise ValueError("matchExpressions are not understood here")
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def check_schemas(overlay):
    for one in overlay.objects:
        if one["kind"] in FOREIGN:
            required, allowed = FOREIGN[one["kind"]]
            members = set(one.get("spec", {}))
            for name in required - members:
                overlay.note(one, f"spec.{name} is missing")
            for name in members - allowed:
                overlay.note(one, f"spec.{name} is unknown")
            continue
        if overlay.is_proof and one["apiVersion"] == "policy/v1beta1":
            one = one | {"apiVersion": "policy/v1"}
        for version in overlay.versions:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                overlay.note(one, f"{'.'.join(map(str, error.path))}: {error.message} (Kubernetes {version})")
            except kubernetes_validate.SchemaNotFoundError:
                overlay.note(one, f"Kubernetes {version} has no {one['apiVersion']} {one['kind']}")


def check_containers(overlay):
    for one, template in overlay.pods():
        spec = template["spec"]
        context = spec.get("securityContext", {})
        if not context.get("runAsNonRoot") or context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            overlay.note(one, "the pod may run as root or without seccomp")
        if spec.get("automountServiceAccountToken") is not False:
            overlay.note(one, "the pod gets a token of the API server, which no worker needs")
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        claims = {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
        for container in spec.get("initContainers", []) + spec["containers"]:
            place = f"{one['kind']}/{one['metadata']['name']}, container {container['name']}"
            own = container.get("securityContext", {})
            if (
                own.get("allowPrivilegeEscalation") is not False
                or own.get("capabilities", {}).get("drop") != ["ALL"]
                or not own.get("readOnlyRootFilesystem")
            ):
                overlay.note(place, "the security context is not restricted")
            resources = container.get("resources", {})
            if "memory" not in resources.get("limits", {}) or not {"cpu", "memory"} <= set(resources.get("requests", {})):
                overlay.note(place, "wanted a limit of memory, and requests of cpu and memory")
            if one["kind"] != "CronJob":
                wanted = {"startupProbe", "livenessProbe"} | ({"readinessProbe"} if container["name"] == "worker" else set())
                for probe in sorted(wanted - set(container)):
                    overlay.note(place, f"no {probe}")
                ports = {port["name"] for port in container.get("ports", [])}
                for probe in wanted & set(container):
                    if container[probe]["httpGet"]["port"] not in ports:
                        overlay.note(place, f"the port of {probe} is none of the container's")
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes and mount["name"] not in claims:
                    overlay.note(place, f"no volume {mount['name']}")
        for volume in volumes.values():
            for kind, member, field in [
                ("ConfigMap", "configMap", "name"),
                ("Secret", "secret", "secretName"),
                ("PersistentVolumeClaim", "persistentVolumeClaim", "claimName"),
            ]:
                if member in volume and overlay.find(kind, volume[member][field]) is None:
                    overlay.note(one, f"volume {volume['name']}: no {kind} {volume[member][field]}")
        if one["kind"] != "CronJob":
            check_sidecar(overlay, one, spec)


def check_sidecar(overlay, one, spec):
    beside = spec["containers"][1:] if overlay.is_proof else spec.get("initContainers", [])
    statusd = next((container for container in beside if container["name"] == "statusd"), None)
    if statusd is None or "--attach" not in statusd["command"]:
        overlay.note(one, "no statusd beside the worker")
    elif not overlay.is_proof and statusd.get("restartPolicy") != "Always":
        overlay.note(one, "statusd is no native sidecar: restartPolicy: Always is missing")
    hook = spec["containers"][0]["lifecycle"]["preStop"]
    pause = hook["sleep"]["seconds"] if "sleep" in hook else int(hook["exec"]["command"][1])
    # 20 s are the default of limits.drain; statusd has a second of its own after that.
    if spec["terminationGracePeriodSeconds"] < pause + 20 + 2:
        overlay.note(one, "terminationGracePeriodSeconds is shorter than pause and drain together")


def check_references(overlay):
    for one in overlay.of("HorizontalPodAutoscaler", "ScaledObject"):
        target = overlay.find("Deployment", one["spec"]["scaleTargetRef"]["name"])
        if target is None:
            overlay.note(one, "its Deployment is not there")
        elif "replicas" in target["spec"]:
            overlay.note(target, "replicas and an autoscaler: every apply would undo what it decided")
        if one["kind"] == "ScaledObject" and overlay.of("HorizontalPodAutoscaler"):
            overlay.note(one, "beside a HorizontalPodAutoscaler: two would decide")
    for one, template in overlay.pods():
        labels = template["metadata"]["labels"]
        budgets = [b for b in overlay.of("PodDisruptionBudget") if selects(b["spec"]["selector"], labels)]
        if one["kind"] != "CronJob" and len(budgets) != 1:
            overlay.note(one, f"{len(budgets)} PodDisruptionBudgets, wanted one")
    for one in overlay.of("ServiceMonitor"):
        services = [s for s in overlay.of("Service") if selects(one["spec"]["selector"], s["metadata"]["labels"])]
        for endpoint in one["spec"]["endpoints"]:
            for service in services:
                if endpoint["port"] not in {port["name"] for port in service["spec"]["ports"]}:
                    overlay.note(one, f"the Service {service['metadata']['name']} has no port {endpoint['port']}")
        if len(services) != len(overlay.of("Service")):
            overlay.note(one, "does not select every Service")


def check_graph(overlay, graph):
    """Every node of the workflow is here as it says, and every edge is open: Service, port, policy. No other is."""
    nodes, edges = {}, set()
    for item in graph["paths"].values():
        post = item["post"]
        nodes[post["operationId"]] = post["x-intelmq-worker"]
        edges |= {(post["operationId"], edge["to"]) for edge in post.get("x-intelmq-edges", [])}
    templates = {}
    for one, template in overlay.pods():
        if one["kind"] != "CronJob":
            templates[one["metadata"]["name"]] = (one, template)
    if set(templates) != set(nodes):
        overlay.note("workflow", f"its nodes are {sorted(nodes)}, found {sorted(templates)}")
        return
    found = set()
    for name, (one, template) in templates.items():
        volume = next(v for v in template["spec"]["volumes"] if v["name"] == "config")
        text = (overlay.find("ConfigMap", volume["configMap"]["name"]) or {}).get("data", {}).get("config.yaml")
        if text is None:
            continue
        config = yaml.safe_load(text)
        command = template["spec"]["containers"][0]["command"]
        if not config["worker"] == command[1] == nodes[name]["uses"] or config["name"] != name:
            overlay.note(one, f"is no {nodes[name]['uses']} named {name}, as the workflow says")
        if not config.get("tokens"):
            overlay.note(one, "its configuration has no tokens: everybody might do everything")
        if nodes[name].get("ack") == "durable" and (one["kind"] != "StatefulSet" or "state" not in config):
            overlay.note(one, "is durable and has no volume of its own")
        if ("state" in config) != (one["kind"] == "StatefulSet"):
            overlay.note(one, "state: and StatefulSet belong together")
        for edge in config.get("edges", []):
            found.add((name, edge["name"]))
            host, _, port = edge["to"].removeprefix("http://").split("/")[0].partition(":")
            service = overlay.find("Service", host)
            target = templates.get(edge["name"])
            ports = {str(p["port"]): p["targetPort"] for p in service["spec"]["ports"]} if service else {}
            if service is None or port not in ports:
                overlay.note(one, f"no Service for its edge {edge['to']}")
            elif target is None or not selects({"matchLabels": service["spec"]["selector"]}, target[1]["metadata"]["labels"]):
                overlay.note(one, f"the Service {host} does not lead to the node {edge['name']}")
            elif ports[port] not in {p["name"] for p in target[1]["spec"]["containers"][0]["ports"]}:
                overlay.note(one, f"the Service {host} leads to a port that the worker has not")
    if found != edges:
        overlay.note("workflow", f"its edges are {sorted(edges)}, those of the configurations {sorted(found)}")
    check_ways(overlay, templates, edges)


def check_ways(overlay, templates, edges):
    policies = overlay.of("NetworkPolicy")
    if not any(
        p["spec"]["podSelector"] == {} and set(p["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not p["spec"].get("ingress") and not p["spec"].get("egress") for p in policies
    ):
        overlay.note("NetworkPolicy", "none that denies everything by default")

    def allows(way, own, other, port):
        for policy in policies:
            if not selects(policy["spec"]["podSelector"], own):
                continue
            for rule in policy["spec"].get(way, []):
                if rule.get("ports") and port not in {p.get("port") for p in rule["ports"]}:
                    continue
                peers = rule.get("from" if way == "ingress" else "to")
                if peers is None:
                    return True
                if any("podSelector" in p and "ipBlock" not in p and selects(p["podSelector"], other) for p in peers):
                    return True
        return False

    labels = {name: template["metadata"]["labels"] for name, (_, template) in templates.items()}
    for source in labels:
        for target in labels:
            if source == target:
                continue
            is_open = [allows("egress", labels[source], labels[target], "http"), allows("ingress", labels[target], labels[source], "http")]
            if (source, target) in edges and not all(is_open):
                overlay.note("NetworkPolicy", f"the edge {source} → {target} is closed")
            elif (source, target) not in edges and all(is_open):
                overlay.note("NetworkPolicy", f"{source} → {target} is open and no edge")


def main(kubectl):
    root = pathlib.Path.cwd()
    graph = yaml.safe_load((root / WORKFLOW).read_text())
    with tempfile.TemporaryDirectory() as folder:
        # A copy: tokens must be there to render, and made up ones belong into no overlay.
        copy = pathlib.Path(folder)
        shutil.copytree(root / "deploy/kubernetes", copy / "kubernetes", ignore=shutil.ignore_patterns("tokens"))
        shutil.copytree(root / "deploy/demo", copy / "demo")
        overlays = copy / "kubernetes/overlays"
        with_keda = overlays / "production-keda"
        shutil.copytree(overlays / "production", with_keda)
        file = with_keda / "kustomization.yaml"
        file.write_text(file.read_text().replace("  # - ../../components/keda", "  - ../../components/keda"))
        objects = 0
        for each in sorted(path for path in overlays.iterdir() if path.is_dir()):
            tokens = each / "tokens"
            tokens.mkdir()
            for name in ["intake", "edge", "read", "operate"]:
                (tokens / name).write_text("0123456789abcdef")
            overlay = Overlay(each.name, render(kubectl, each))
            if each == with_keda and not overlay.of("ScaledObject"):
                overlay.note("keda", "the component is not in it")
            check_schemas(overlay)
            check_containers(overlay)
            check_references(overlay)
            check_graph(overlay, graph)
            objects += len(overlay.objects)
            print(f"{overlay.name}: {len(overlay.objects)} objects against Kubernetes {' and '.join(overlay.versions)}")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"{objects} objects are as they should be; of ServiceMonitor, ScaledObject and TriggerAuthentication only the members of spec")


main(sys.argv[1])
