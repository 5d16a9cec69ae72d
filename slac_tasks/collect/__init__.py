"""How videos are found, and how their bytes come from strangers."""
