"""Reading raw files: the catalogue, finding files, decompression, delimited files, field types, the audit of rows."""
