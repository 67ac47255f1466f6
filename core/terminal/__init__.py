"""The terminal emulator: bytes of a program in; cells, modes and answers out.

Nothing here draws, and nothing is imported here, so that the holder can use
:mod:`core.terminal.logformat` without loading the emulator.
"""
