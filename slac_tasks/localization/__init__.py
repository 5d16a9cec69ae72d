"""From sparse clips to segments: where an action begins and ends in a whole video."""
