"""Engines other than the local one, behind the same protocol."""
