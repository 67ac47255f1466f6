"""Textual widgets, one domain object each; they never call the engine."""
