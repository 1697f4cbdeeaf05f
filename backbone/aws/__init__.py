"""Facts of AWS, each stated once: ARNs, names, policies, limits."""
