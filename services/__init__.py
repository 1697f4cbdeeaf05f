"""The services: each has a folder, and `common` ships with every service."""
