"""What agents may ask: a read-only server of the Model Context Protocol, and its tools."""
