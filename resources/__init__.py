"""What assets are given: settings, the catalogue of sources, raw files, the staging area, the warehouse."""
