"""Prints the OpenAPI document, from which the web client is generated: `python -m fieldwise.api.openapi`."""

from __future__ import annotations

import json
import sys

from fieldwise.api.app import create_app


def main() -> None:
    json.dump(create_app(None, "").openapi(), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
