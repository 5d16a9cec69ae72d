"""Every verb that is no stage, one per file. The first line of a file's docstring is the verb's help."""
