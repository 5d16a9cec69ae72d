-- Say in which session of the server this is asked.
SELECT pg_backend_pid() AS session;
