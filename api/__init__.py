"""The read API: what the web tier asks of the warehouse, over HTTP."""
