"""`python -m pipeline.cli`: the command `overtone`, without its script."""

from pipeline.cli.main import main

if __name__ == "__main__":
    main()
