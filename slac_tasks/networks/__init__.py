"""What looks at clips: the registry of classifiers, their weights, committees, and person detectors."""
