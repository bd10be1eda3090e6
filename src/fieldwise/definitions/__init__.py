"""PURE: the text of a project's files -> definitions, with every mistake located (spec 2)."""
