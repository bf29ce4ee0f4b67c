"""Where the assistant's answers come from: weather, places, products."""
