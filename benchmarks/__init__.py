"""Measurements that print ratios; run by hand, each as ``python -m benchmarks.NAME``."""
