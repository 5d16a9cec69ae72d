"""Annotations that other datasets publish: lists of videos and of what they show when, read whole, row by row."""
