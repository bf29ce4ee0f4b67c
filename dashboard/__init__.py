"""What managers see: the Streamlit application, its live hub and its own routes."""
