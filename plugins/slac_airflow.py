"""The Airflow side of the process boundary: one `slac` command is one task, a local process or a pod.

A DAG file imports from here, the fields of its form from `slac_forms`, and how people hear of it from `slac_watch`:
`slac` makes a stage's task, `plan` the task that says what there is to do, `announce` the last task that tells other
DAGs, `start` the one that starts a run of another, `ask` the question to a person; and the assets that connect DAGs.
"""

import datetime
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Asset, AssetAlias, BaseOperator, Param, task_group
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException, DownstreamTasksSkipped
from slac_command import RETRY, Command, Process, filled, is_on, judge, merge, number, told, variable, word
from slac_items import Items
from slac_links import address, links
from slac_watch import place, tell

from slac_tasks import config
from slac_tasks.procedure import STAGES, machine, wants_gpu

ENDED = "ended"
"""The leaf of a run that says whether a task before it failed."""

WINDOW = "{{ partition_key or '' }}"
"""The window of a partitioned run: the Monday on which its week starts. A run that a person starts may have none."""

VIDEOS = Asset("videos")
"""A window holds admitted videos that want scores; its events carry the window as partition key."""
ANSWERS = Asset("answers")
"""People's answers wait to become labels."""
LABELS = Asset("labels")
"""People's answers became a new version of the labels, which it is time to judge."""
VALIDATED_LABELS = Asset("validated_labels")
"""A release is due, or a person has decided about labels, which may be enough for one."""


class Local(Command):
    """A `slac` command as a process of the worker."""

    process: Process | None = None
    operator_extra_links = property(links)

    def run(self, words: list[str], context: Mapping[str, Any]) -> str:
        """Run one command; return what it printed as its result."""
        self.log.info("%s", " ".join(words))
        with told(self.log):
            self.process = Process(words, {**os.environ, **place(context)}, self.log)
            code, printed, last = self.process.wait()
            judge(code, last, context["ti"].try_number)
        return printed

    def execute(self, context: Any) -> Any:
        """Run the stage."""
        if printed := self.run(self.words(context), context):
            self.log.info("%s", printed)

    def on_kill(self) -> None:
        """End the command when its task is marked failed or cleared."""
        if self.process is not None:
            self.process.stop()


class Plan(Local):
    """`slac plan`: its JSON line is the only thing that Airflow hands from task to task."""

    template_fields = ("window",)

    def __init__(self, *, dag_name: str, window: str | None = None, estimate: bool = False, **kwargs: Any) -> None:
        super().__init__(stage="plan", **kwargs)
        self.dag_name, self.window, self.estimate = dag_name, window, estimate

    def words(self, context: Mapping[str, Any]) -> list[str]:
        """Return the command line."""
        words = ["slac", "plan", f"--for={self.dag_name}", *([f"--window={self.window}"] if self.window else [])]
        words += ["--estimate"] if self.estimate else []
        if self.form:
            said = filled(self.form, context)
            words += [word("category", name) for name in said["category"]]
            words += [f"--{name}" for name, value in said.items() if value is True]
            named = ("category", "offered")
            others = merge({name: value for name, value in said.items() if name not in named and value is not True})
            words += [word(name, value) for name, values in others.items() for value in values]
        return words

    def listed(self, context: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the items of the plan."""
        with told(self.log):
            words = self.words(context)
        printed = self.run(words, context)
        items: list[dict[str, Any]] = json.loads(printed.splitlines()[-1])
        return items

    def execute(self, context: Any) -> Any:
        """Return the items; without any, every task after this one is skipped and no other process starts."""
        items = self.listed(context)
        if not items:
            self.log.info("nothing to do")
            raise self.skipping(context)
        return items

    def skipping(self, context: Mapping[str, Any]) -> DownstreamTasksSkipped:
        """Return what skips every task after this one but the leaf, which says how those before it ended.

        In a run that was cleared also the tasks that were mapped over an earlier plan: each would look for its item.
        """
        ti, after = context["ti"], sorted(self.get_flat_relative_ids(upstream=False) - {ENDED})
        mapped = [
            (name, index)
            for name in after
            for index in range(ti.get_ti_count(dag_id=ti.dag_id, run_ids=[ti.run_id], task_ids=[name]))
        ]
        return DownstreamTasksSkipped(tasks=[*after, *mapped])


def pairs(items: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return the (category, window) of items."""
    return {
        (category, window) for item in map(merge, items) for category in item["category"] for window in item["window"]
    }


class Announce(Plan):
    """Emit one event per window, with the categories that the plan lists now."""

    def found(self, listed: list[dict[str, Any]]) -> set[tuple[str, str]]:
        """Return the (category, window) to announce."""
        return pairs(listed)

    def execute(self, context: Any) -> None:
        """Look at the plan again and emit the events; none when there is nothing to announce."""
        found = self.found(self.listed(context)) if self.item or not self.planned else None
        if not found:
            raise AirflowSkipException("nothing to announce")
        windows = sorted({window for _, window in found})
        for asset in self.outlets:
            event = context["outlet_events"][asset]
            event.extra = {"categories": sorted({category for category, _ in found})}
            event.add_partitions(windows)
        self.log.info("announced %s", ", ".join(windows))


class AnnounceFinished(Announce):
    """Emit one event per window, with the categories that were planned and are listed no more.

    The datasets say what finished, not the states of tasks: a batch that failed for one category announces the others.
    """

    template_fields = ("window", "item")

    def found(self, listed: list[dict[str, Any]]) -> set[tuple[str, str]]:
        """Return the (category, window) to announce."""
        return pairs(self.item) - pairs(listed)


class PlanSome(Plan):
    """A plan that may be empty: only the task that is mapped over it is skipped then."""

    def execute(self, context: Any) -> Any:
        """Return the items."""
        return self.listed(context)


class AnnounceAny(Plan):
    """Emit one event of the asset when the plan lists something; end well either way.

    The outlet is an alias: of an asset itself, a task that ends well always emits an event.
    """

    def __init__(self, *, asset: Asset, **kwargs: Any) -> None:
        alias = AssetAlias(f"{asset.name}_if_any")
        super().__init__(outlets=[alias], **kwargs)
        self.asset, self.alias = asset, alias

    def execute(self, context: Any) -> None:
        """Emit the event, or none."""
        if self.listed(context):
            context["outlet_events"][self.alias].add(self.asset)
        else:
            self.log.info("nothing to announce")


class Look(AnnounceAny):
    """Wake the DAG whose plan this is when it has work, so that no run of it is made only to be skipped."""

    def execute(self, context: Any) -> None:
        """Look, unless a run of that DAG is queued or at work: what it leaves is found by the next look."""
        if context["ti"].get_dr_count(dag_id=self.dag_name, states=["queued", "running"]):
            self.log.info("%s is at work", self.dag_name)
        else:
            super().execute(context)


class Start(BaseOperator):
    """Start a run of another DAG, beside those of its own schedule, and do not wait for it.

    An event of an asset cannot: from a run of a partition it would carry the partition's key, and such events start no
    DAG that has none. Not Airflow's TriggerDagRunOperator: to import it takes longer than all else in a DAG file.
    """

    ui_color = "#dde9f5"

    def __init__(self, *, starts: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.starts = starts

    def execute(self, context: Any) -> None:
        """Ask Airflow for the run; a task that is cleared asks for another one."""
        ti = context["ti"]
        raise DagRunTriggerException(
            trigger_dag_id=self.starts,
            dag_run_id=f"{ti.dag_id}__{ti.run_id}__{ti.try_number}",
            conf=None,
            logical_date=None,
            reset_dag_run=False,
            skip_when_already_exists=True,
            wait_for_completion=False,
            allowed_states=[],
            failed_states=[],
            poke_interval=0,
            deferrable=False,
        )


ITEM = (
    "{{ task.item['category'] | join(', ') | truncate(80) }}"
    "{% for key in ('window', 'round') if task.item.get(key) %}"
    " · {{ task.item[key] if task.item[key] is string else task.item[key] | join(', ') | truncate(80) }}"
    "{% endfor %}"
)
"""The name of a mapped task, e.g. `judo · 2026-01-05`: the categories and the window of its item, cut short: Airflow's
table holds 250 characters. The UI shows it instead of a number."""

UNFINISHED = ("scheduled", "queued", "running", "deferred", "awaiting_input", "up_for_retry", "up_for_reschedule")
"""States of a task that has begun and has not ended."""


class PlanToAsk(Plan):
    """A plan of questions that is empty while a question waits for its answer, or an answer for its record.

    So nobody is asked the same thing twice. A question that nobody answered is in the next plan again.
    """

    def execute(self, context: Any) -> Any:
        """Return the questions."""
        pending = context["ti"].get_ti_count(dag_id=self.dag_id, task_ids=["ask", "approve"], states=[*UNFINISHED])
        if pending:
            self.log.info("%d questions wait for an answer or for its record", pending)
            raise self.skipping(context)
        questions = super().execute(context)
        for item in questions:
            tell(f"the labels of {item['name']} were refused: {'; '.join(item['reasons'])}")
        return questions


class Ask(HITLOperator):
    """Ask a person about a refused category. Without an answer in time the task is skipped and nothing is recorded.

    The result is the item of `slac approve`, which records the decision.
    """

    template_fields = ("item",)
    NOT_NOW = "not now"

    def __init__(self, *, item: Any = None, **kwargs: Any) -> None:
        super().__init__(
            subject="Labels that were refused",
            options=["approve", "reject", self.NOT_NOW],
            # Silence decides nothing.
            defaults=self.NOT_NOW,
            params={"reason": Param("", type="string", title="Reason", description="Why; stored with the decision.")},
            **kwargs,
        )
        self.item = item

    def execute(self, context: Any) -> Any:
        """Put the question and park the task: it takes no worker while it waits."""
        self.subject = f"Use the labels of {self.item['name']} although they were refused?"
        reasons = [f"- {reason}" for reason in self.item["reasons"]]
        self.body = "\n".join([*reasons, "", *_where_to_decide(self.item["category"])])
        self.response_timeout = datetime.timedelta(seconds=config.load().quality.approve_timeout_sec)
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Return the decision.

        Raises:
            AirflowSkipException: nobody answered in time, or whoever answered leaves the question open.

        """
        answer = super().execute_complete(context, event)
        person, (decision,) = answer["responded_by_user"], answer["chosen_options"]
        if person is None or decision == self.NOT_NOW:
            who = f"{person['name']} leaves it open" if person else "nobody answered in time"
            raise AirflowSkipException(f"{who}: asked again with the next labels, or tomorrow")
        reason = str(answer["params_input"].get("reason") or "").strip()
        return {**self.item, "decision": decision, "reason": reason or "no reason given", "person": person["name"]}


def _where_to_decide(categories: Iterable[str]) -> Iterator[str]:
    """Yield what the question says beside the reasons: where the clips are, and what silence means."""
    base = address(os.environ)
    for one in categories if base else ():
        yield f"[See its clips at the decision desk]({base}/desk?of={quote(one)}). A decision there counts too."
    yield "Without an answer nothing is decided, and it is asked again."


def pods_wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether stages run as pods."""
    return is_on("SLAC_PODS", environ)


def defaults(stage: str, *, pods: bool) -> dict[str, Any]:
    """Return how a stage's task is retried and how wide it may become."""
    width = math.ceil(number("SLAC_WIDTH", os.environ, 16 if pods else 2))
    gpu = wants_gpu(stage)
    one_at_a_time = (stage in STAGES and STAGES[stage].alone) or (gpu and not pods)
    return {
        # As many slots as there are GPUs, in a pool that whoever runs the cluster makes; tasks wait there, not as pods.
        **({"pool": pool} if gpu and (pool := variable("SLAC_GPU_POOL", os.environ)) else {}),
        # Ample: Airflow's own deferral bug burns some (apache/airflow#72716), a database restart burns others.
        "retries": 5,
        "retry_policy": RETRY,
        # A pod's retry must not attach to the one that is still ending: wait out its grace period.
        "retry_delay": datetime.timedelta(minutes=2) if pods else datetime.timedelta(seconds=5),
        "retry_exponential_backoff": 2,
        "max_retry_delay": datetime.timedelta(minutes=15),
        # A pod has a deadline of its own, which its wait for a node does not count against.
        "execution_timeout": None if pods else datetime.timedelta(hours=machine(stage).hours),
        # A wide map leaves slots to the other DAGs; one local GPU runs one thing at a time.
        "max_active_tis_per_dag": 1 if one_at_a_time else width,
    }


def slac(stage: str, *, each: Plan | None = None, all_of: Any = None, **kwargs: Any) -> Any:
    """Make a stage's task: mapped over `each` item of a plan, or one task for `all_of` them, or without a plan.

    A mapped task runs when the one before is done, however it ended: one bad category holds up no other, and fails
    again here because its input is missing.
    """
    operator: type[BaseOperator] = Local
    if pods_wanted():
        # Imported here and not above: it takes two seconds, at every start of every task.
        from slac_airflow_pods import Pod

        operator = Pod
    settings = {
        "task_id": stage,
        "stage": stage,
        "do_xcom_push": False,
        **defaults(stage, pods=pods_wanted()),
        **kwargs,
    }
    if each is not None:
        settings = {"trigger_rule": "all_done", "map_index_template": ITEM, **settings}
        mapped = operator.partial(**settings).expand(item=Items(each))
        # Airflow copies a property of the class as it stands: it could not end a task that fails before it has an item.
        mapped.operator_extra_links = links(mapped)
        return mapped
    return operator(item=all_of.output if isinstance(all_of, BaseOperator) else all_of, **settings)


def plan(dag_name: str, *, task_id: str = "plan", kind: type[Plan] = Plan, **kwargs: Any) -> Plan:
    """Make the task that says what a DAG has to do, in its log also what that takes where `estimate` is asked for.

    It is always a process: its result is the items.
    """
    return kind(task_id=task_id, dag_name=dag_name, **{**defaults("plan", pods=False), **kwargs})


def announce(asset: Asset, dag_name: str, *, done: Plan | None = None, **kwargs: Any) -> Plan:
    """Make the last task of a DAG, which alone carries the outlet and runs however the others ended."""
    settings = {"task_id": "announce", "outlets": [asset], "do_xcom_push": False, **kwargs}
    if done is None:
        return plan(dag_name, kind=Announce, **settings)
    return plan(dag_name, kind=AnnounceFinished, item=done.output, trigger_rule="all_done", **settings)


def start(dag_name: str, **kwargs: Any) -> Start:
    """Make the task that starts a run of another DAG."""
    return Start(task_id=dag_name, starts=dag_name, **kwargs)


def ask(each: Plan, asset: Asset) -> Any:
    """Make the question to a person, one per item, and the task that records its answer and emits an event of `asset`.

    The two are mapped together: a task that is mapped over mapped ones begins when all of them have ended, so an answer
    would wait for all others; and in a run that is cleared Airflow removes it before there is an answer.
    """

    @task_group(group_id="decision", prefix_group_id=False)
    def decision(item: Any) -> None:
        question = Ask(task_id="ask", item=item, map_index_template=ITEM)
        question >> slac("approve", all_of=question, outlets=[asset], map_index_template=ITEM)

    return decision.expand(item=Items(each))


def ended() -> EmptyOperator:
    """Make the leaf that ends a run failed when a task before it failed; it starts no process."""
    return EmptyOperator(task_id=ENDED, trigger_rule="none_failed")
