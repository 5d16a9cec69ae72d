"""The gate: what the labels of a category must be before they are released."""
