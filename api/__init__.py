"""The read API: what the warehouse serves, over HTTP. It never writes, and knows no Dagster, pandas or pyarrow."""
