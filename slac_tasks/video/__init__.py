"""Pixels: originals, their renditions, shots, and clips decoded from renditions."""
