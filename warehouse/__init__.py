"""The warehouse: what its tables are, and how their contents reach it. Knows nothing of Dagster."""
