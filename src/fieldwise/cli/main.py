"""The `fieldwise` command."""


def main() -> None:
    raise SystemExit("not yet")
