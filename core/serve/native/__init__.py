"""distrodeck's own protocol, between its clients and its daemon."""
