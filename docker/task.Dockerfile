# The work: every `slac` stage, as a pod or by hand, and `slac web`. It holds no Airflow. CUDA comes with torch's wheels;
# the node brings the driver.  docker build -f docker/task.Dockerfile -t slac-task .
# Without torch and CUDA, for the pages and for stages that ask for no GPU:
#   docker build -f docker/task.Dockerfile --build-arg LOCK=requirements-cpu.lock -t slac-task-cpu .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy
ARG LOCK=requirements-task.lock
WORKDIR /build
COPY requirements-uv.lock ${LOCK} ./
RUN --mount=type=cache,target=/root/.cache \
    python -m venv /opt/uv \
    && /opt/uv/bin/python -m pip install --no-cache-dir --quiet --require-hashes -r requirements-uv.lock \
    && python -m venv --without-pip /opt/task-venv \
    && /opt/uv/bin/uv pip install --system-certs --python /opt/task-venv/bin/python --require-hashes -r ${LOCK}
# See airflow.Dockerfile for why a source tree and a .pth file.
RUN echo /opt/slac > /opt/task-venv/lib/python3.11/site-packages/slac.pth \
    && printf '#!%s\nimport sys\nfrom slac_tasks.cli import main\nif __name__ == "__main__":\n    sys.exit(main())\n' /opt/task-venv/bin/python > /opt/task-venv/bin/slac \
    && chmod 0755 /opt/task-venv/bin/slac

FROM ${BASE}
ENV PATH=/opt/task-venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    USER=slac HOME=/home/slac \
    GX_ANALYTICS_ENABLED=false \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video
RUN install -d -o 50000 -g 0 -m 0775 /home/slac
COPY --from=build /opt/task-venv /opt/task-venv
WORKDIR /opt/slac
COPY docker/bucket.py docker/backup.py docker/
COPY slac_tasks slac_tasks
COPY sql sql
RUN python -m compileall -q /opt/slac && slac --version
USER 50000:0
ENTRYPOINT ["slac"]
CMD ["--help"]
