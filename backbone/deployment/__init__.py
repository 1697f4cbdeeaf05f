"""What happens before and at an apply."""
