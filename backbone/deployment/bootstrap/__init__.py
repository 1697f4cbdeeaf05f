"""What must be in the accounts before a pipeline can deploy: roles, a boundary, and a bucket for the states."""
