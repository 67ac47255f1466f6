"""Sessions: the holder that owns them, and how an engine or console talks to it."""
