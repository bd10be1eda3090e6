"""What Fieldwise does, one verb per file: (command, ports, now) -> result."""
