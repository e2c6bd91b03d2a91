"""The Dagster code location and the `mobiville` command line."""
