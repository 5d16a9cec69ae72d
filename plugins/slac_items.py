"""What a task is mapped over: the items of a plan, and what becomes of the task where the plan of its run has none."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk.definitions.xcom_arg import PlainXComArg
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException


class Items(PlainXComArg):
    """The items of a plan, for the tasks that are mapped over them.

    A run that is cleared may find nothing to do: then the tasks that were mapped over its earlier plan are skipped. One
    of them that a person clears alone looks for its item and finds none. Airflow's own reference ends that with a
    `KeyError`, once for each retry.
    """

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return the items.

        Raises:
            AirflowSkipException: the plan of this run holds nothing.
            AirflowFailException: the plan did not end well, so nobody knows what there is to do.

        """
        found = super().resolve(context)
        if found is None:
            run, name = context["ti"].run_id, self.operator.task_id
            states = context["ti"].get_task_states(dag_id=self.operator.dag_id, task_ids=[name], run_ids=[run])
            again = f"clear `{name}` with what comes after it to plan again"
            if (state := states.get(run, {}).get(name)) != "success":
                raise AirflowFailException(f"no item: `{name}` of this run is {state}, want success; {again}")
            raise AirflowSkipException(f"no item: `{name}` of this run found nothing to do; {again}")
        return found
