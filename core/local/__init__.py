"""The engine that does the work in this process."""
