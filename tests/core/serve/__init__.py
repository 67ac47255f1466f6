"""Tests of the served protocols."""
