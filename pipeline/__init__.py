"""A call comes in; annotated sentences come out."""
