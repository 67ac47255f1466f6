"""The command line: every verb of the engine without the console, and without Textual."""
