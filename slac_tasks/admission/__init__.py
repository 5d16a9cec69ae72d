"""Which videos join the dataset and which leave it: look-alikes, other benchmarks' videos, withdrawals."""
