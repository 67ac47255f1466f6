"""Sandboxes: who may have one here, how it is built, how a process enters it."""
