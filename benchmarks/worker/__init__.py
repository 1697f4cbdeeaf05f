"""A service of a large backbone: a function that receives and publishes."""
