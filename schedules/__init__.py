"""When the warehouse refreshes by itself."""
