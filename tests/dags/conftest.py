"""DAG files and plugins as Airflow sees them: on the path, with a home of their own and no examples."""

import os
import sys
from pathlib import Path

from slac_tasks.scratch import Scratch

ROOT = Path(__file__).resolve().parents[2]

HOME = Scratch()
os.environ.setdefault("AIRFLOW_HOME", str(HOME.path))
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(ROOT / "dags")
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(ROOT / "plugins")
sys.path.insert(0, str(ROOT / "plugins"))
