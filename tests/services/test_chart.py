"""The chart: every object of five sets of values against strict schemas, confined, and fitting what Airflow starts."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import charts
import jsonschema
import kubernetes_validate
import pytest
import yaml
from charts import CHART
from conftest import absent

from slac_tasks.procedure import STAGES

Object = dict[str, Any]
SETS = sorted((CHART / "ci").glob("*.yaml"))
KUBERNETES = "1.34"
ROOT = CHART.parents[1]


def strict(**fields: Any) -> Object:
    """Return the schema of an object with these fields, all of them wanted, and no others."""
    return {"type": "object", "additionalProperties": False, "required": list(fields), "properties": fields}


TEXT = {"type": "string", "minLength": 1}
WORDS = {"type": "object", "additionalProperties": TEXT}
METADATA = {**strict(name=TEXT, labels=WORDS, annotations=WORDS), "required": ["name", "labels"]}
DURATION = {"type": "string", "pattern": "^[0-9]+(s|m|h|d|w)$"}
CUSTOM: dict[str, Object] = {
    # Objects of operators, which no schema of Kubernetes holds: the fields of them that the chart uses.
    "monitoring.coreos.com/v1 ServiceMonitor": strict(
        selector=strict(matchLabels=WORDS),
        endpoints={"type": "array", "minItems": 1, "items": strict(
            port=TEXT, path=TEXT, interval=DURATION,
            authorization=strict(type={"const": "Bearer"}, credentials=strict(name=TEXT, key=TEXT)),
        )},
    ),
    "monitoring.coreos.com/v1 PrometheusRule": strict(
        groups={
            "type": "array",
            "minItems": 1,
            "items": {
                **strict(name=TEXT, interval=DURATION, rules={
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        **strict(alert=TEXT, record=TEXT, expr=TEXT, labels=WORDS, annotations=WORDS,
                                 **{"for": DURATION, "keep_firing_for": DURATION}),
                        "required": ["expr"],
                    },
                }),
                "required": ["name", "rules"],
            },
        }
    ),
    "external-secrets.io/v1 ExternalSecret": strict(
        refreshInterval=DURATION,
        secretStoreRef=strict(name=TEXT, kind={"enum": ["SecretStore", "ClusterSecretStore"]}),
        target=strict(name=TEXT, creationPolicy={"enum": ["Owner", "Orphan", "Merge", "None"]}),
        dataFrom={"type": "array", "minItems": 1, "items": strict(extract=strict(key=TEXT))},
    ),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def helm() -> Path:
    try:
        return charts.helm()
    except LookupError as reason:
        absent(f"Helm ({reason})")


@pytest.fixture(params=SETS, ids=lambda path: path.stem)
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return charts.template("--values", request.param)


def everything() -> list[Object]:
    return charts.template("--values", CHART / "ci" / "all.yaml")


def named(objects: list[Object], kind: str, name: str) -> Object:
    (found,) = (one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


def pod_specs(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Yield the pods that objects start, with the labels of each; those of pod templates are Airflow's to confine."""
    for one in objects:
        spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one.get("spec", {})
        if one["kind"] in ("Deployment", "Job", "CronJob"):
            yield f"{one['kind']} {one['metadata']['name']}", spec["template"]["spec"]


@pytest.mark.parametrize("values", SETS, ids=lambda path: path.stem)
def test_helm_finds_nothing_to_blame(helm: Path, values: Path) -> None:
    lint = subprocess.run([helm, "lint", "--strict", CHART, "--values", values], capture_output=True, text=True)
    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_every_object_is_valid_and_known(objects: list[Object]) -> None:
    assert len(objects) >= 9
    seen = set()
    for one in objects:
        kind = f"{one['apiVersion']} {one['kind']}"
        if kind in CUSTOM:
            assert set(one) == {"apiVersion", "kind", "metadata", "spec"}
            jsonschema.validate(one["metadata"], METADATA)
            jsonschema.validate(one["spec"], CUSTOM[kind])
        else:
            kubernetes_validate.validate(one, KUBERNETES, strict=True)
        assert one["metadata"]["labels"]["app.kubernetes.io/part-of"] == "slac"
        seen.add((kind, one["metadata"]["name"]))
    assert len(seen) == len(objects), "two objects have one name"


def test_the_sets_of_values_reach_every_kind() -> None:
    kinds = {one["kind"] for values in SETS for one in charts.template("--values", values)}
    declared = set(re.findall(r"^kind: (\w+)", "\n".join(p.read_text() for p in (CHART / "templates").iterdir()), re.M))
    assert kinds >= declared - {"Pod"}


def test_pods_are_what_pod_security_calls_restricted(objects: list[Object]) -> None:
    for name, spec in pod_specs(objects):
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False, name
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, (name, container["name"])
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), (name, container["name"])
            assert "memory" in container["resources"]["limits"]
        for volume in spec["volumes"]:
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""}), (name, volume)
            assert set(volume) <= {"name", "emptyDir", "configMap"}, "nothing of the node is mounted"


def test_secrets_come_by_reference(objects: list[Object]) -> None:
    assert not [one for one in objects if one["kind"] == "Secret"]
    for name, spec in pod_specs(objects):
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            for variable in container.get("env", ()):
                assert not re.search("PASSWORD|SECRET|_KEY|DATABASE_URL", variable["name"]), (name, variable)
            words = json.dumps([container.get("command", []), container.get("args", [])])
            assert "$(" not in words, "a variable in an argv is read by everybody on the node"


def test_who_needs_the_ledger_has_it_and_nobody_else() -> None:
    for name, spec in pod_specs(everything()):
        given = {
            source["secretRef"]["name"]
            for container in (*spec.get("initContainers", ()), *spec["containers"])
            for source in container.get("envFrom", ())
        }
        want = {
            "Deployment slac-web": {"slac-store", "slac-ledger", "slac-web"},
            "Job slac-bucket": {"slac-store"},
            "Job slac-migrate": {"slac-ledger"},
            "Job slac-register": {"slac-store", "slac-ledger"},
            "CronJob slac-backup": {"slac-ledger", "slac-backup"},
        }
        assert given == want[name]


def test_settings_are_one_file_and_a_change_of_it_starts_the_pages_again(tmp_path: Path) -> None:
    made = []
    for text in ("[review]\nvotes_wanted = 2\n", "[review]\nvotes_wanted = 3\n"):
        (tmp_path / "slac.toml").write_text(text)
        objects = charts.template("--set-file", f"settings={tmp_path / 'slac.toml'}")
        assert named(objects, "ConfigMap", "slac-settings")["data"]["slac.toml"] == text
        made.append(named(objects, "Deployment", "slac-web")["spec"]["template"])
    first, second = (one["metadata"].pop("annotations")["checksum/settings"] for one in made)
    assert first != second
    assert made[0] == made[1]


def test_jobs_run_before_what_needs_them() -> None:
    hooks = {
        (one["kind"], one["metadata"]["name"]): one["metadata"].get("annotations", {}).get("helm.sh/hook", "")
        for one in everything()
    }
    before = "pre-install,pre-upgrade"
    assert hooks[("Job", "slac-bucket")] == hooks[("Job", "slac-migrate")] == before
    assert hooks[("Job", "slac-register")] == "post-install"
    assert {hook for (kind, _), hook in hooks.items() if kind == "ExternalSecret"} == {before}
    # What runs before an installation finds nothing of it: no account, no settings.
    for name, spec in pod_specs(everything()):
        if name in ("Job slac-bucket", "Job slac-migrate"):
            assert "serviceAccountName" not in spec
            assert not [volume for volume in spec["volumes"] if "configMap" in volume]


def test_pages_are_reached_in_a_cluster_of_ipv6(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("web: {listen: '::', proxies: 'fd00::/8'}")
    objects = charts.template("--values", tmp_path / "values.yaml")
    (web,) = [spec for name, spec in pod_specs(objects) if name == "Deployment slac-web"]
    assert web["containers"][0]["args"][:3] == ["web", "--host", "::"]


def test_a_misspelt_value_is_an_error(tmp_path: Path) -> None:
    for text in (
        "web: {replica: 3}",
        "jobs: {migrate: 'no'}",
        "backup: {keep: 0}",
        "web: {proxies: '*'}",
        "web: {listen: any}",
    ):
        (tmp_path / "values.yaml").write_text(text)
        with pytest.raises(ValueError, match="don't meet the specifications of the schema"):
            charts.template("--values", tmp_path / "values.yaml")


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Return whether a selector of Kubernetes selects these labels."""
    equal = all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())
    return equal and all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", ()))


def labels_of(stage: str) -> dict[str, str]:
    """Return the labels that the plugin and Airflow give to a stage's pod; tests/dags makes sure that they do."""
    holds = "ledger" if STAGES[stage].ledger else "store"
    return {
        "app.kubernetes.io/part-of": "slac", "slac/holds": holds, "task_id": stage, "kubernetes_pod_operator": "True",
    }  # fmt: skip


def test_stages_reach_the_internet_and_the_ledger_only_where_they_must() -> None:
    policies = [one for one in charts.template() if one["kind"] == "NetworkPolicy"]
    for stage in STAGES:
        mine = {one["metadata"]["name"] for one in policies if selects(one["spec"]["podSelector"], labels_of(stage))}
        want = {"slac-stages"} | ({"slac-ledger"} if STAGES[stage].ledger else set())
        assert mine == want | ({"slac-internet"} if stage in ("discover", "fetch") else set()), stage
    stages = named(policies, "NetworkPolicy", "slac-stages")["spec"]
    assert stages["policyTypes"] == ["Ingress", "Egress"], "what is not allowed is refused"
    assert "ingress" not in stages
    internet = named(policies, "NetworkPolicy", "slac-internet")["spec"]["egress"][0]["to"]
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(internet[0]["ipBlock"]["except"])
    of_all = named(everything(), "NetworkPolicy", "slac-internet")["spec"]["egress"]
    assert [peer["to"][0]["ipBlock"]["cidr"] for peer in of_all] == ["0.0.0.0/0", "10.9.9.9/32"], "by a proxy"
    # Nothing that every stage reaches is outside of the private networks.
    for rule in stages["egress"]:
        for peer in rule["to"]:
            assert "ipBlock" not in peer or peer["ipBlock"]["cidr"].startswith(("10.", "172.16.", "192.168."))


def test_the_pages_are_reached_by_the_proxy_alone_and_drained_one_by_one() -> None:
    objects = everything()
    web = named(objects, "Deployment", "slac-web")["spec"]["template"]
    policy = named(objects, "NetworkPolicy", "slac-web")["spec"]
    budget = named(objects, "PodDisruptionBudget", "slac-web")["spec"]
    service = named(objects, "Service", "slac-web")["spec"]
    assert selects(policy["podSelector"], web["metadata"]["labels"])
    assert selects(budget["selector"], web["metadata"]["labels"])
    assert selects({"matchLabels": service["selector"]}, web["metadata"]["labels"])
    peers = [peer["namespaceSelector"]["matchLabels"].popitem()[1] for peer in policy["ingress"][0]["from"]]
    assert peers == ["ingress-nginx", "monitoring"]
    (container,) = web["spec"]["containers"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)


def test_airflows_accounts_may_do_with_pods_what_the_plugin_does() -> None:
    objects = charts.template("--values", CHART / "ci" / "gpus.yaml")
    rules = named(objects, "Role", "slac-pods")["rules"]
    allowed = {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}
    assert {("pods", verb) for verb in ("create", "get", "list", "watch", "patch", "delete")} <= allowed
    assert {("pods/log", "get"), ("events", "list"), ("events", "watch")} <= allowed
    assert not [one for one in allowed if one[0] in ("secrets", "pods/exec", "*") or one[1] == "*"]
    subjects = named(objects, "RoleBinding", "slac-pods")["subjects"]
    assert [(one["name"], one["namespace"]) for one in subjects] == [
        ("flow-worker", "slac"), ("flow-triggerer", "slac"),
    ]  # fmt: skip


def test_pod_templates_are_pods(objects: list[Object]) -> None:
    for text in named(objects, "ConfigMap", "slac-pods")["data"].values():
        pod = yaml.safe_load(text)
        # A template has no name.
        kubernetes_validate.validate({**pod, "metadata": {"name": "stage"}}, KUBERNETES, strict=True)
        (container,) = pod["spec"]["containers"]
        assert container["name"] == "base"


def test_airflows_values_name_what_the_chart_makes() -> None:
    objects = charts.template()
    values = yaml.safe_load((CHART / "values-airflow.yaml").read_text())
    variables = {one["name"]: one["value"] for one in yaml.safe_load(values["extraEnv"])}
    mounted = {mount["name"]: mount["mountPath"] for mount in values["volumeMounts"]}
    for volume in values["volumes"]:
        named(objects, "ConfigMap", volume["configMap"]["name"])
        assert volume["name"] in mounted
    assert variables["SLAC_POD_CONFIG_MAP"] == "slac-settings"
    assert variables["SLAC_CONFIG"] == f"{mounted['slac-settings']}/slac.toml"
    # A pod mounts the map where its plugin says.
    plugin = (ROOT / "plugins" / "slac_airflow_pods.py").read_text()
    assert f'CONFIG_FOLDER = "{mounted["slac-settings"]}"' in plugin
    templates = named(objects, "ConfigMap", "slac-pods")["data"]
    for variable in ("SLAC_POD_TEMPLATE", "SLAC_POD_GPU_TEMPLATE"):
        folder, _, file = variables[variable].rpartition("/")
        assert folder == mounted["slac-pods"]
        assert file in templates
    named(objects, "ServiceAccount", variables["SLAC_POD_SERVICE_ACCOUNT"])
    documented = set(re.findall(r"^    (SLAC_\w+)", plugin, re.M)) | {"SLAC_CONFIG"}
    assert set(variables) <= documented
    assert [one["secretRef"]["name"] for one in yaml.safe_load(values["extraEnvFrom"])] == ["slac-store", "slac-ledger"]


def test_chart_images_and_code_are_one_release() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version
    assert chart["version"] == chart["appVersion"] == version[1]
    tags = re.findall(
        r"slac-(?:airflow|task|task-cpu)(?:, tag: |:)([\w.]+)", (CHART / "values-airflow.yaml").read_text()
    )
    assert set(tags) == {version[1]}
