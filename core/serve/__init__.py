"""Adapters that let clients drive an engine over a wire; none knows another."""
