"""Layers on disk: unpacked once each, as overlayfs wants its lower directories."""
