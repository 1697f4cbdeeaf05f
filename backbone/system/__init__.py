"""The synthesized Terraform, read back."""
