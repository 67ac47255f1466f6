"""Tests of layers on disk."""
