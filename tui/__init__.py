"""The console: screens, keys, commands, and the command line beside it."""
