"""The terminal pane: a shell's screen as a Textual widget."""
