"""Programs for environments of their own: they know NeMo and nothing of ours; a JSON job in, a JSON file out."""
