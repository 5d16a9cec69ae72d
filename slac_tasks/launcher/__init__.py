"""One machine, no set-up: Postgres, Airflow and the demo as processes of this machine. Imports no Airflow."""
