"""What learns: targets, losses, the training loop, and the transfer test."""
