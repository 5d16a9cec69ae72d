"""How videos are found, and how their bytes come from strangers.

sources     where videos are found
names       which key the name of a category gets, and which names cannot be stored
locations   where the bytes of a video are: one class for each kind of place
downloads   how bytes come from strangers' hosts
outcomes    what became of the candidates of an unfinished partition
"""
