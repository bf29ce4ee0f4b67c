"""The pages: scripts that Streamlit runs, with widgets only; what they show comes from ``queries`` and ``charts``."""
