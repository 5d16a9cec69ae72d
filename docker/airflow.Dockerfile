# The control plane: Airflow, the DAGs and the plugins. It holds no torch, no pandas and no Great Expectations; the work
# runs from task.Dockerfile. Build from the project's root:  docker build -f docker/airflow.Dockerfile -t slac-airflow .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy
WORKDIR /build
COPY requirements-uv.lock requirements-airflow.lock ./
RUN --mount=type=cache,target=/root/.cache \
    python -m venv /opt/uv \
    && /opt/uv/bin/python -m pip install --no-cache-dir --quiet --require-hashes -r requirements-uv.lock \
    && python -m venv --without-pip /opt/airflow-venv \
    && /opt/uv/bin/uv pip install --system-certs --python /opt/airflow-venv/bin/python --require-hashes -r requirements-airflow.lock
# A source tree and not a wheel, since the SQL files lie beside the package. The .pth file makes it importable without an
# environment variable, which the allow-listed environment of a task would not hand on.
RUN echo /opt/slac > /opt/airflow-venv/lib/python3.11/site-packages/slac.pth \
    && printf '#!%s\nimport sys\nfrom slac_tasks.cli import main\nif __name__ == "__main__":\n    sys.exit(main())\n' /opt/airflow-venv/bin/python > /opt/airflow-venv/bin/slac \
    && chmod 0755 /opt/airflow-venv/bin/slac

FROM ${BASE}
# 50000:0 is what Airflow's Helm chart expects. USER in the environment stands for a line in /etc/passwd, so that any
# other user id works as well.
ENV PATH=/opt/airflow-venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONWARNINGS=ignore:GitWildMatchPattern \
    USER=slac HOME=/home/slac \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/slac/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/slac/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False
RUN install -d -o 50000 -g 0 -m 0775 /opt/airflow /opt/airflow/logs /home/slac
COPY --from=build /opt/airflow-venv /opt/airflow-venv
WORKDIR /opt/slac
COPY slac_tasks slac_tasks
COPY sql sql
COPY plugins plugins
COPY dags dags
RUN python -m compileall -q /opt/slac && slac --version
USER 50000:0
# No entrypoint: the Helm chart and docker-compose.yaml both say `airflow scheduler` and the like.
CMD ["airflow", "version"]
