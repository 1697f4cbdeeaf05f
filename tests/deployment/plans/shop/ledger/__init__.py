"""A service of the backbone that plans are made of."""
