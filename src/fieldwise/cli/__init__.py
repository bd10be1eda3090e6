"""The command line: parse, call a use case (or the running server), print."""
