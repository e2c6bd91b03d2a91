"""Fetching official files: partial downloads, dated snapshots, inspection."""
