"""The services: each has a folder, and `backbone.runtime` ships with every service."""
