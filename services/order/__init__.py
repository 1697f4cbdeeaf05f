"""The Order Service: takes orders over HTTP, publishes them, and follows their delivery."""
