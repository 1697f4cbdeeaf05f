"""What helps to write services: new ones, and the schemas of their events."""
