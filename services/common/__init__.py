"""What every service's functions share: the event envelope, the publisher, and how events are received."""
