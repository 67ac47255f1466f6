"""The version of distrodeck, told by every greeting."""

VERSION = "0.1.0"
