"""Clients of outside services, and the cache of what they answered."""
