-- Make every later transaction of this connection read-only, whatever its account may do.
SELECT set_config('default_transaction_read_only', 'on', false) AS read_only;
