"""Segments by people: which proposals are asked, what votes add up to, how good people are. Pure."""
