"""A service that has every kind of resource."""
