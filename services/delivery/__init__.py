"""The Delivery Service: delivers what was ordered, once."""
