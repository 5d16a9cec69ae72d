"""The synthetic world: generated untrimmed videos with known truth, and simulated people who review them."""
