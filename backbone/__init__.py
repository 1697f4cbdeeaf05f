"""A cross-account event backbone on Amazon EventBridge, from one file to Terraform."""
