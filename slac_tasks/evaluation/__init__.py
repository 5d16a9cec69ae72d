"""What a network is worth: measures, intervals that resample videos, transfer, and the evidence for a promotion."""
