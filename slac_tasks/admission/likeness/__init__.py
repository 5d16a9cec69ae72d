"""Whether videos show the same: fingerprints, an index of half a million of them, and how two lie over each other."""
