# For docker-compose.yaml alone, where no Kubernetes starts pods: the Airflow image with the task image's environment
# beside its own. Two environments, two interpreters; `slac` starts in the second, so a task is still a process that
# knows nothing of Airflow. Compose hands both images over as named build contexts.
ARG AIRFLOW_IMAGE=slac-airflow:0.1.0
ARG TASK_IMAGE=slac-task:0.1.0

FROM ${TASK_IMAGE} AS task

FROM ${AIRFLOW_IMAGE}
ENV GX_ANALYTICS_ENABLED=false SLAC_COMMAND=/opt/task-venv/bin/slac
COPY --from=task /opt/task-venv /opt/task-venv
# A person who types `slac` in this container gets the one that the tasks run.
COPY --from=task /opt/task-venv/bin/slac /opt/airflow-venv/bin/slac
USER 50000:0
