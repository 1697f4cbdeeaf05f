"""From a topology to the files that Terraform reads."""
