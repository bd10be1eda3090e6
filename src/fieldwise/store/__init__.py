"""Where Fieldwise keeps its own state: named SQL by noun, numbered migrations, one class per database."""
