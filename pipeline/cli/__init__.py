"""The one command, `overtone`: thin verbs over plain functions; heavy imports stand inside the verb that needs them."""

from pipeline.cli.main import cli, main

__all__ = ["cli", "main"]
