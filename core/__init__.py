"""The engine of distrodeck: it draws nothing and prints nothing."""
