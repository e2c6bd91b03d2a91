"""The sources that are fetched from outside."""

from resources.sources.catalogue import catalogue

FILES = tuple(name for name, source in catalogue().items() if source.downloads)
"""Sources that are official files."""

ROME, DESCRIPTIONS = "rome_api", "city_descriptions"

FETCHED = (*FILES, ROME)
"""What is fetched by default. City descriptions have a weekly job of their own."""
