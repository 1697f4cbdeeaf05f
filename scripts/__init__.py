"""What writes the data of backbone/aws/data anew: run by hand, see CONTRIBUTING.md."""
