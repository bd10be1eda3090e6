"""The HTTP face: parse, call a use case, respond. The OpenAPI document it yields is the contract of every client."""
