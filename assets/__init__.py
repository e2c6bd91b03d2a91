"""One module per import: its parsing, its rules and its Dagster asset, together."""
