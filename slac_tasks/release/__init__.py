"""What may be released, and the formats in which it goes out."""
