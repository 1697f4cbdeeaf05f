"""The page of `backbone up`: a live map, the events, and what can be done to the system."""
