"""What can be installed, and where from."""
