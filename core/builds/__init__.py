"""Build an image from a Dockerfile."""
