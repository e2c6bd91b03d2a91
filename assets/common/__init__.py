"""What imports share. A rule that belongs to one import stands in that import's module."""
