"""Verbs of the data scientist: `python -m finetune` is what `overtone train`, `evaluate` and the others start."""

from finetune.cli import main

if __name__ == "__main__":
    main()
