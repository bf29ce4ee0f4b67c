"""The embedded Riva-compatible speech and language server on CPU models."""
